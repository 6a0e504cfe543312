"""RNNs of the old toolkits that others trained give their known outputs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae

pytestmark = pytest.mark.shared

MODELS = Path(__file__).parents[2] / "shared" / "models"
CHARRNN = MODELS / "ml5-charrnn"


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_g2p_en_pronounces_words_as_its_own_code() -> None:
    package = importlib.util.find_spec("g2p_en")
    assert package is not None, "expected the package g2p_en"
    assert package.origin is not None
    model = ae.load(Path(package.origin).with_name("checkpoint20.npz"))
    words = objects(MODELS / "packages" / "g2p_en.golden.jsonl")

    found = model.translate([w["word"] for w in words], beam_size=1, max_new_tokens=20)

    assert len(words) == 30
    for word, result in zip(words, found, strict=True):
        assert result.hypotheses[0].tokens == word["greedy"]


@pytest.mark.parametrize("name", ["shakespeare", "darwin"])
def test_char_rnn(name: str) -> None:
    model = ae.load(CHARRNN / name)
    golden = [entry for entry in objects(CHARRNN / "golden.jsonl") if entry["model"] == name]
    assert len(golden) == 6
    for entry in golden:
        logits = model.logits(model.tokenizer.encode(entry["seed"]))[-1]
        # recorded with five decimals, of logits up to 15
        np.testing.assert_allclose(logits, entry["next_logits"], rtol=0, atol=2e-5)
        # the sum of up to seven log-probabilities, both in float32
        assert model.score(entry["seed"]).log_prob == pytest.approx(entry["seed_logprob"], abs=2e-5)
        assert model.generate(entry["seed"], max_new_tokens=80).text == entry["greedy80"]
