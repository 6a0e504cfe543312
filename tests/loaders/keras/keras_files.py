"""Writes small model files of Keras and textgenrnn.

Names and shapes follow the toolkits' documentation and published files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.loaders.arrays import Arrays, random_arrays
from tests.loaders.files.hdf5_files import write_hdf5

VOCAB, EMBEDDING, UNITS, WINDOW = 7, 5, 4, 6
GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4, "CuDNNGRU": 3, "CuDNNLSTM": 4}


def keras_cell(kind: str, inputs: int, *, after: bool = False, seed: int = 0) -> Arrays:
    """The weights of a recurrent layer by their names in a file."""
    width = GATES[kind] * UNITS
    bias: tuple[int, ...] = (2, width) if after else (width,)
    if kind.startswith("CuDNN"):
        bias = (2 * width,)
    shapes = {
        "kernel:0": (inputs, width),
        "recurrent_kernel:0": (UNITS, width),
        "bias:0": bias,
    }
    return random_arrays(shapes, seed)


def recurrent_layer(
    kind: str, number: int, options: Mapping[str, Any], bidirectional: bool
) -> dict[str, Any]:
    """The entry of a recurrent layer in model_config."""
    name = f"rnn_{number}"
    inner = {"class_name": kind, "config": {"name": name, "units": UNITS, **options}}
    if not bidirectional:
        return inner
    config = {"name": name, "merge_mode": "concat", "layer": inner}
    return {"class_name": "Bidirectional", "config": config}


def keras_layers(
    kind: str = "LSTM",
    options: Mapping[str, Any] | None = None,
    *,
    embedding: bool = True,
    sequences: bool = True,
    bidirectional: bool = False,
) -> tuple[list[dict[str, Any]], Arrays]:
    """Layers of model_config and weights: two recurrent layers between the other ones."""
    options = dict(options or {})
    layers: list[dict[str, Any]] = []
    arrays: Arrays = {}
    if embedding:
        layer = {"name": "embed", "input_dim": VOCAB, "output_dim": EMBEDDING}
        layer |= {"batch_input_shape": [None, WINDOW], "mask_zero": False}
        layers.append({"class_name": "Embedding", "config": layer})
        arrays |= random_arrays({"embed/embed/embeddings:0": (VOCAB, EMBEDDING)}, 1)
    below = EMBEDDING if embedding else VOCAB
    for number in (1, 2):
        inner = {**options, "return_sequences": sequences or number == 1, "go_backwards": False}
        if not embedding and number == 1:
            inner["batch_input_shape"] = [None, WINDOW, VOCAB]
        layers.append(recurrent_layer(kind, number, inner, bidirectional))
        layers.append({"class_name": "Dropout", "config": {"name": f"drop_{number}"}})
        for side, seed in {"forward_": 2, "backward_": 3}.items() if bidirectional else [("", 2)]:
            after = bool(options.get("reset_after"))
            weights = keras_cell(kind, below, after=after, seed=10 * number + seed)
            folder = f"rnn_{number}/rnn_{number}" + (f"/{side}cell" if side else "")
            arrays |= {f"{folder}/{key}": array for key, array in weights.items()}
        below = 2 * UNITS if bidirectional else UNITS
    dense = {"name": "dense", "units": VOCAB, "activation": "softmax"}
    layers.append({"class_name": "Dense", "config": dense})
    shapes = {"dense/dense/kernel:0": (below, VOCAB), "dense/dense/bias:0": (VOCAB,)}
    return layers, arrays | random_arrays(shapes, 5)


LSTM_OPTIONS = {"activation": "tanh", "recurrent_activation": "hard_sigmoid"}


def write_keras(
    folder: Path,
    layers: Sequence[Mapping[str, Any]] | None = None,
    arrays: Arrays | None = None,
    version: str = "2.2.4",
) -> Path:
    """Write a file like model.save(); by default the model has two LSTMs."""
    if layers is None or arrays is None:
        layers, arrays = keras_layers("LSTM", LSTM_OPTIONS)
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}
    weights = {f"model_weights/{name}": array for name, array in arrays.items()}
    texts = {"model_config": json.dumps(config), "keras_version": version, "backend": "tensorflow"}
    return write_hdf5(folder / "model.h5", weights, texts)


def to_cudnn(arrays: Arrays, gates: int) -> Arrays:
    """Weights of an LSTM or GRU in cuDNN's layout, by the equations of Keras 2."""

    def blocks(array: np.ndarray, square: bool) -> np.ndarray:
        parts = np.hsplit(array, gates)
        turned = [p.T if square else p.T.reshape(p.shape, order="C") for p in parts]
        return np.hstack(turned)

    return {
        "kernel:0": blocks(arrays["kernel:0"], False),
        "recurrent_kernel:0": blocks(arrays["recurrent_kernel:0"], True),
        "bias:0": arrays["bias:0"].reshape(-1),
    }


# ---- textgenrnn -------------------------------------------------------------------------


def write_textgenrnn(folder: Path) -> Path:
    characters = {"<s>": 1, "a": 2, "b": 3, " ": 4, "é": 5, "\n": 6}
    shapes = {
        "embedding/embedding/embeddings:0": (VOCAB, EMBEDDING),
        "attention/attention/attention_W:0": (EMBEDDING + 2 * UNITS, 1),
        "output/output/kernel:0": (EMBEDDING + 2 * UNITS, VOCAB),
        "output/output/bias:0": (VOCAB,),
    }
    arrays = random_arrays(shapes)
    for number, below in ((1, EMBEDDING), (2, UNITS)):
        weights = keras_cell("CuDNNLSTM", below, seed=number)
        name = f"rnn_{number}/rnn_{number}"
        arrays |= {f"{name}/{key}": array for key, array in weights.items()}
    path = write_hdf5(folder / "tiny_weights.hdf5", arrays, {"keras_version": "2.1.5"})
    (folder / "tiny_vocab.json").write_text(json.dumps(characters), encoding="utf-8")
    (folder / "tiny_config.json").write_text(json.dumps({"max_length": WINDOW, "rnn_layers": 2}))
    return path
