"""Models of textgenrnn against the toolkit's equations in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import attnengine as ae
from attnengine.errors import Unsupported
from tests.loaders.keras.keras_files import WINDOW, write_textgenrnn
from tests.loaders.rnn_equations import layer, lstm, under

CLOSE: dict[str, float] = {"rtol": 0, "atol": 3e-6}  # float32 against float64


def test_textgenrnn(tmp_path: Path) -> None:
    path = write_textgenrnn(tmp_path)
    model = ae.load(path)
    assert model.config["bos_token_id"] == model.config["eos_token_id"] == 1
    with h5py.File(path) as file:
        arrays: dict[str, Any] = {}
        file.visititems(lambda n, o: arrays.update({n: o[...]}) if hasattr(o, "shape") else None)
    w = under(arrays, "")
    steps = [lstm(from_cudnn(under(arrays, f"rnn_{n}/rnn_{n}/"))) for n in (1, 2)]
    ids = [1, 2, 3, 4, 5, 6, 2, 3]
    found = model.logits(ids)
    for end in (1, 4, WINDOW, len(ids)):
        window = ids[max(0, end - WINDOW) : end]
        window = [0] * (WINDOW - len(window)) + window
        states = [w["embedding/embedding/embeddings:0"][window]]
        for step in steps:
            states.append(layer(step, states[-1]))
        together = np.concatenate(states, axis=1)
        weights = np.exp(together @ w["attention/attention/attention_W:0"])[:, 0]
        mean = weights @ together / weights.sum()
        expected = mean @ w["output/output/kernel:0"] + w["output/output/bias:0"]
        np.testing.assert_allclose(found[end - 1], expected, **CLOSE)


def from_cudnn(w: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights of a CuDNNLSTM as Keras 2 converts them to an LSTM."""

    def kernel(array: np.ndarray) -> np.ndarray:
        return np.hstack([k.T.reshape(k.shape, order="F") for k in np.hsplit(array, 4)])

    turned = np.hstack([k.T for k in np.hsplit(w["recurrent_kernel:0"], 4)])
    bias = np.sum(np.split(w["bias:0"], 2), axis=0)
    return {"kernel:0": kernel(w["kernel:0"]), "recurrent_kernel:0": turned, "bias:0": bias}


def test_textgenrnn_of_words_is_refused(tmp_path: Path) -> None:
    path = write_textgenrnn(tmp_path)
    (tmp_path / "tiny_config.json").write_text('{"word_level": true}')
    with pytest.raises(Unsupported, match="option word_level is 'True'"):
        ae.load(path)
