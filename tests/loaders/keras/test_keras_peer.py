"""Files written by Keras 3 give the outputs of Keras."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from tests.helpers.torch_modules import torch  # filters torch's warnings

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]  # Keras' warnings

os.environ["KERAS_BACKEND"] = "torch"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

VOCAB, WINDOW = 11, 6
# both sides compute in float32; logits reach 3
CLOSE: dict[str, float] = {"rtol": 0, "atol": 2e-6}


def save(folder: Path, layers: list[Any], shape: tuple[int | None, ...]) -> tuple[Any, Path]:
    """A Sequential model with weights that make the outputs vary, and its HDF5 file."""
    model = keras.Sequential([keras.layers.Input(shape), *layers, keras.layers.Dense(VOCAB)])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, w.shape).astype(np.float32) for w in model.get_weights()])
    model.save(folder / "model.h5")
    return model, folder / "model.h5"


def predictions(model: Any, inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(model(inputs).cpu().numpy())


CELLS: dict[str, dict[str, Any]] = {
    "LSTM": {},
    "LSTM, hard": {"recurrent_activation": "hard_sigmoid"},
    "LSTM, relu": {"activation": "relu"},
    "GRU": {},
    "GRU, before": {"reset_after": False},
    "GRU, before, hard": {"reset_after": False, "recurrent_activation": "hard_sigmoid"},
    "SimpleRNN": {},
    "GRU, no bias": {"use_bias": False},
}


def cell(name: str, **more: Any) -> Any:
    return getattr(keras.layers, name.split(",")[0])(5, **CELLS[name], **more)


@pytest.mark.parametrize("name", CELLS)
def test_language_models(tmp_path: Path, name: str) -> None:
    layers = [
        keras.layers.Embedding(VOCAB, 7),
        cell(name, return_sequences=True),
        keras.layers.Dropout(0.5),
        cell(name, return_sequences=True),
    ]
    model, path = save(tmp_path, layers, (None,))
    ids = np.random.default_rng(1).integers(0, VOCAB, 9)
    np.testing.assert_allclose(ae.load(path).logits(ids), predictions(model, ids[None])[0], **CLOSE)


@pytest.mark.parametrize("name", ["LSTM", "GRU, before", "SimpleRNN"])
@pytest.mark.parametrize("both", [False, True])
def test_windows(tmp_path: Path, name: str, both: bool) -> None:
    recurrent = [cell(name, return_sequences=True), cell(name)]
    if both:
        recurrent = [keras.layers.Bidirectional(layer) for layer in recurrent]
    model, path = save(tmp_path, [keras.layers.Embedding(VOCAB, 7), *recurrent], (WINDOW,))
    ids = np.random.default_rng(1).integers(0, VOCAB, 20)
    found = ae.load(path).logits(ids)
    windows = np.stack([ids[end - WINDOW : end] for end in range(WINDOW, 21)])
    np.testing.assert_allclose(found[WINDOW - 1 :], predictions(model, windows), **CLOSE)


def test_one_hot_vectors(tmp_path: Path) -> None:
    model, path = save(tmp_path, [cell("LSTM")], (WINDOW, VOCAB))
    ids = np.random.default_rng(1).integers(0, VOCAB, WINDOW)
    found = ae.load(path).logits(ids)[-1]
    hot = np.eye(VOCAB, dtype=np.float32)[ids]
    np.testing.assert_allclose(found, predictions(model, hot[None])[0], **CLOSE)
