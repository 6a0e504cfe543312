"""Models of char-rnn-tensorflow against the toolkit's equations in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.errors import FormatError, Unsupported
from tests.loaders.charrnn.charrnn_files import charrnn_arrays, write_charrnn
from tests.loaders.rnn_equations import stack, tensorflow_lstm, under

CLOSE: dict[str, float] = {"rtol": 0, "atol": 3e-6}  # float32 against float64


@pytest.mark.parametrize("names", [("weights", "biases"), ("kernel", "bias")])
def test_charrnn(tmp_path: Path, names: tuple[str, str]) -> None:
    arrays = charrnn_arrays(*names)
    model = ae.load(write_charrnn(tmp_path / "model", arrays))
    w, ids = under(arrays, ""), [3, 1, 4, 1, 5]
    steps = [
        tensorflow_lstm(*(w[f"rnnlm/multi_rnn_cell/cell_{k}/basic_lstm_cell/{n}"] for n in names))
        for k in (0, 1)
    ]
    states = stack(steps, w["embedding"][ids])
    expected = states @ w["rnnlm/softmax_w"] + w["rnnlm/softmax_b"]
    np.testing.assert_allclose(model.logits(ids), expected, **CLOSE)
    assert model.generate("ab\né'", max_new_tokens=3).hypotheses[0].tokens


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"filename": "../secret", "shape": [4]}, "expected the name of a file beside"),
        ({"filename": "/etc/passwd", "shape": [4]}, "expected the name of a file beside"),
        ({"filename": "embedding", "shape": [-1, 4]}, r"has shape \[-1, 4\]"),
        ({"filename": "embedding", "shape": [7, True]}, "and a shape"),
        ({"filename": "embedding", "shape": [1 << 40, 1 << 40]}, "more than any memory"),
        ({"filename": "embedding", "shape": [7, 5]}, "has 112 bytes, expected 140"),
        ({"filename": "other", "shape": [7, 4]}, "is missing or not a file"),
        (4, "expected the name"),
    ],
)
def test_a_manifest_that_does_not_fit(tmp_path: Path, entry: Any, message: str) -> None:
    folder = write_charrnn(tmp_path / "model")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["embedding"] = entry
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FormatError, match=message):
        ae.load(folder)


def test_characters_and_variables_that_do_not_fit(tmp_path: Path) -> None:
    arrays = charrnn_arrays()
    cell = "rnnlm/multi_rnn_cell/cell_0/gru_cell/gates/kernel"
    with pytest.raises(Unsupported, match="gates/kernel', expected those of LSTMs"):
        ae.load(write_charrnn(tmp_path / "gru", arrays | {cell: np.zeros(3)}))
    folder = write_charrnn(tmp_path / "vocab")
    (folder / "vocab.json").write_text('{"a": 0, "b": 0}')
    with pytest.raises(FormatError, match="has 2 ids, expected each of 0 to 6 once"):
        ae.load(folder)


def test_variables_that_are_the_same_one(tmp_path: Path) -> None:
    arrays = charrnn_arrays() | {"rnnlm/embedding": np.zeros((7, 4), np.float32)}
    with pytest.raises(FormatError, match=r"embedding and rnnlm/embedding are both embedding\.w"):
        ae.load(write_charrnn(tmp_path / "model", arrays))
