"""An RNN and a Transformer from files against outputs of PyTorch in float64 (make_golden.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae

GOLDEN = Path(__file__).parent


@pytest.fixture(params=["rnn_seq2seq", "transformer"])
def golden(request: pytest.FixtureRequest) -> tuple[ae.Seq2Seq, dict[str, Any]]:
    folder = GOLDEN / request.param
    model = ae.load(folder)
    assert isinstance(model, ae.Seq2Seq)
    return model, json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def test_logits(golden: tuple[ae.Seq2Seq, dict[str, Any]]) -> None:
    model, expected = golden
    for case in expected["cases"]:
        source = model.source_tokenizer.encode(case["source"])
        logits = np.array(case["logits"])
        # float32 against float64: 5e-6 of the largest value
        np.testing.assert_allclose(
            model.logits(source, case["target"]), logits, rtol=0, atol=5e-6 * np.abs(logits).max()
        )


def test_n_best(golden: tuple[ae.Seq2Seq, dict[str, Any]]) -> None:
    model, expected = golden
    sources = [case["source"] for case in expected["cases"]]
    for i, options in enumerate(expected["options"]):
        results = model.translate(sources, max_new_tokens=5, **options)
        for result, case in zip(results, expected["cases"], strict=True):
            found = case["searches"][i]
            assert [h.ids for h in result.hypotheses] == [h["ids"] for h in found]
            for hypothesis, h in zip(result.hypotheses, found, strict=True):
                assert hypothesis.log_prob == pytest.approx(h["log_prob"], abs=1e-5)
                assert hypothesis.score == pytest.approx(h["score"], abs=1e-5)
