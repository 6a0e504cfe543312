from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.errors import FormatError, Unsupported
from tests.loaders.keras.keras_files import (
    EMBEDDING,
    LSTM_OPTIONS,
    VOCAB,
    WINDOW,
    keras_cell,
    keras_layers,
    to_cudnn,
    write_keras,
)
from tests.loaders.rnn_equations import gru, layer, lstm, simple, stack, under

IDS = [1, 6, 0, 3, 3, 2, 5, 4]
# float32 against float64, over two layers of four units
CLOSE: dict[str, float] = {"rtol": 0, "atol": 2e-6}


def dense(arrays: dict[str, Any], states: np.ndarray) -> np.ndarray:
    w = under(arrays, "dense/dense/")
    return states @ w["kernel:0"] + w["bias:0"]


def logits(arrays: dict[str, Any], make: Any) -> np.ndarray:
    """Logits of an embedding, two equal layers and Dense."""
    xs = under(arrays, "embed/embed/")["embeddings:0"][IDS]
    steps = [make(under(arrays, f"rnn_{number}/rnn_{number}/")) for number in (1, 2)]
    return dense(arrays, stack(steps, xs))


GATED = {"activation": "tanh", "recurrent_activation": "sigmoid"}
KINDS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "LSTM": ("LSTM", GATED, lstm),
    "LSTM, hard": ("LSTM", LSTM_OPTIONS, lambda w: lstm(w, "hard_sigmoid")),
    "LSTM, relu": ("LSTM", GATED | {"activation": "relu"}, lambda w: lstm(w, "sigmoid", "relu")),
    "GRU": ("GRU", GATED, lambda w: gru(w, after=False)),
    "GRU, hard": ("GRU", LSTM_OPTIONS, lambda w: gru(w, after=False, gate="hard_sigmoid")),
    "GRU, after": ("GRU", GATED | {"reset_after": True}, lambda w: gru(w, after=True)),
    "SimpleRNN": ("SimpleRNN", {"activation": "sigmoid"}, lambda w: simple(w, "sigmoid")),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_recurrent_layer(tmp_path: Path, name: str) -> None:
    kind, options, make = KINDS[name]
    layers, arrays = keras_layers(kind, options)
    model = ae.load(write_keras(tmp_path, layers, arrays))
    np.testing.assert_allclose(model.logits(IDS), logits(arrays, make), **CLOSE)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_cudnn_layers_are_their_plain_ones(tmp_path: Path, kind: str) -> None:
    options = GATED | ({"reset_after": True} if kind == "GRU" else {})
    layers, arrays = keras_layers(kind, options)
    gates = {"LSTM": 4, "GRU": 3}[kind]
    packed = dict(arrays)
    for number in (1, 2):
        prefix = f"rnn_{number}/rnn_{number}/"
        cell = {key: arrays[prefix + key] for key in keras_cell(kind, EMBEDDING)}
        if kind == "LSTM":  # cuDNN's LSTM adds two biases
            half = cell["bias:0"] / 2
            cell["bias:0"] = np.stack([half, half])
        packed |= {prefix + key: array for key, array in to_cudnn(cell, gates).items()}
    for entry in layers:
        entry["class_name"] = entry["class_name"].replace(kind, f"CuDNN{kind}")
        for option in ("activation", "recurrent_activation", "reset_after"):
            if entry["class_name"].startswith("CuDNN"):
                entry["config"].pop(option, None)

    model = ae.load(write_keras(tmp_path, layers, packed))

    make = lstm if kind == "LSTM" else lambda w: gru(w, after=True)
    np.testing.assert_allclose(model.logits(IDS), logits(arrays, make), **CLOSE)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_window_without_sequences(tmp_path: Path, bidirectional: bool) -> None:
    layers, arrays = keras_layers("LSTM", GATED, sequences=False, bidirectional=bidirectional)
    model = ae.load(write_keras(tmp_path, layers, arrays))
    assert model.config["window"] == WINDOW
    found = model.logits(IDS)
    for end in (3, WINDOW, len(IDS)):
        xs = under(arrays, "embed/embed/")["embeddings:0"][IDS[max(0, end - WINDOW) : end]]
        for number in (1, 2):
            name = f"rnn_{number}/rnn_{number}/"
            if bidirectional:
                forward = layer(lstm(under(arrays, f"{name}forward_cell/")), xs)
                backward = layer(lstm(under(arrays, f"{name}backward_cell/")), xs, reverse=True)
                last = np.concatenate([forward[-1], backward[0]])
                xs = np.concatenate([forward, backward], axis=1)
            else:
                xs = layer(lstm(under(arrays, name)), xs)
                last = xs[-1]
        np.testing.assert_allclose(found[end - 1], dense(arrays, last), **CLOSE)


def test_one_hot_vectors(tmp_path: Path) -> None:
    layers, arrays = keras_layers("GRU", GATED, embedding=False)
    model = ae.load(write_keras(tmp_path, layers, arrays))
    steps = [gru(under(arrays, f"rnn_{n}/rnn_{n}/"), after=False) for n in (1, 2)]
    expected = dense(arrays, stack(steps, np.eye(VOCAB)[IDS]))
    np.testing.assert_allclose(model.logits(IDS), expected, **CLOSE)


def test_hard_sigmoid_is_another_in_version_3(tmp_path: Path) -> None:
    layers, arrays = keras_layers("LSTM", LSTM_OPTIONS)
    for version, name in (("2.15.0", "hard_sigmoid"), ("3.0.5", "hard_sigmoid_6")):
        model = ae.load(write_keras(tmp_path / version, layers, arrays, version))
        assert model.config["gate_activation"] == name


def changed(number: int, **options: Any) -> tuple[list[dict[str, Any]], Any]:
    layers, arrays = keras_layers("LSTM", LSTM_OPTIONS)
    layers[number]["config"] |= options
    return layers, arrays


def test_a_kind_of_layer_that_we_lack(tmp_path: Path) -> None:
    layers, arrays = keras_layers("LSTM", LSTM_OPTIONS)
    layers.insert(1, {"class_name": "Conv1D", "config": {"name": "c"}})
    with pytest.raises(Unsupported, match="the layers are Conv1D, LSTM, LSTM, Dense, expected"):
        ae.load(write_keras(tmp_path, layers, arrays))


@pytest.mark.parametrize(
    ("number", "options", "message"),
    [
        (0, {"mask_zero": True}, "option mask_zero is 'True', expected 'False'"),
        (1, {"go_backwards": True}, "option go_backwards is 'True'"),
        (1, {"activation": "elu"}, "option activation is 'elu'"),
        (1, {"recurrent_activation": "sigmoid"}, "the recurrent layers differ"),
        (1, {"return_sequences": False}, r"return_sequences is \[False, True\]"),
        (5, {"activation": "relu"}, "option activation is 'relu'"),
    ],
)
def test_options_that_we_lack(
    tmp_path: Path, number: int, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(Unsupported, match=message):
        ae.load(write_keras(tmp_path, *changed(number, **options)))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("rnn_1/rnn_1/bias:0", (15,), r"bias:0 has shape \(15,\), expected \(16,\)"),
        ("rnn_1/rnn_1/kernel:0", (5, 12), r"kernel:0 has shape \(5, 12\), expected 16 columns"),
        ("rnn_2/rnn_2/kernel:0", (5, 16), "weight_ih_l1"),
        ("rnn_2/rnn_2/recurrent_kernel:0", None, "no matrix recurrent_kernel"),
        ("dense/dense/kernel:0", None, "layer 'dense' has no weight kernel"),
    ],
)
def test_weights_that_do_not_fit(
    tmp_path: Path, name: str, shape: tuple[int, ...] | None, message: str
) -> None:
    layers, arrays = keras_layers("LSTM", LSTM_OPTIONS)
    if shape is None:
        del arrays[name]
    else:
        arrays[name] = np.zeros(shape, np.float32)
    with pytest.raises(FormatError, match=message):
        ae.load(write_keras(tmp_path, layers, arrays))
