"""Published RNNs of older toolkits give their recorded outputs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import attnengine as ae
from tests.helpers.bits import check_same_bits

pytestmark = pytest.mark.shared

MODELS = Path(__file__).parents[3] / "shared" / "models"
CHARRNN = MODELS / "ml5-charrnn"


TEXTGENRNN = MODELS / "textgenrnn"
ELMO = MODELS / "allennlp-elmo"


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
    check_same_bits(model.path, [w["word"] for w in words], num_hypotheses=5)


@pytest.mark.parametrize("name", ["shakespeare", "darwin"])
def test_char_rnn(name: str) -> None:
    model = ae.load(CHARRNN / name)
    golden = [entry for entry in objects(CHARRNN / "golden.jsonl") if entry["model"] == name]
    assert len(golden) == 6
    for entry in golden:
        logits = model.logits(model.tokenizer.encode(entry["seed"]))[-1]
        # the recording has five decimals, and logits reach 15
        np.testing.assert_allclose(logits, entry["next_logits"], rtol=0, atol=2e-5)
        # both sides sum up to seven log-probabilities in float32
        assert model.score(entry["seed"]).log_prob == pytest.approx(entry["seed_logprob"], abs=2e-5)
        assert model.generate(entry["seed"], max_new_tokens=80).text == entry["greedy80"]


def test_textgenrnn() -> None:
    model = ae.load(TEXTGENRNN / "textgenrnn_weights.hdf5")
    golden = objects(TEXTGENRNN / "golden.jsonl")
    assert len(golden) == 7
    for entry in golden:
        prompt = entry["prompt"]
        ids = [model.config["bos_token_id"], *model.tokenizer.encode(prompt)]
        # the recording has five decimals; logits reach 36 after 40 steps in float32
        logits = model.logits(ids)[-1]
        np.testing.assert_allclose(logits, entry["next_logits"], rtol=0, atol=5e-5)
        length = len(entry["greedy"]) - len(prompt)
        assert prompt + model.generate(prompt, max_new_tokens=length).text == entry["greedy"]


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_elmo_with_states_that_are_carried(slot: int) -> None:
    """The recording used batches of three: a sentence starts from the state of an earlier one."""
    model = ae.load(ELMO)
    sentences = json.loads((ELMO / "sentences.json").read_text(encoding="utf-8"))[slot]
    state = model.new_state()
    with h5py.File(ELMO / f"lm_embeddings_{slot}.hdf5") as recorded:
        for i, sentence in enumerate(sentences):
            states = model.hidden_states(
                model.tokenizer.encode(f"<S> {sentence} </S>"), state=state
            )
            expected = np.concatenate(list(recorded[str(i)][...]), axis=-1)  # (tokens, 2 * 16)
            # both sides compute in float32; values reach 3
            np.testing.assert_allclose(states[1:-1, -32:], expected, rtol=0, atol=2e-6)
