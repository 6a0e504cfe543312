"""Writes small files of Keras, textgenrnn, ELMo, char-rnn-tensorflow and g2p_en, without readers.

Names and shapes are those of the toolkits' documentation and of published files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from loader_files import Arrays, random_arrays

VOCAB, EMBEDDING, UNITS, WINDOW = 7, 5, 4, 6
GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4, "CuDNNGRU": 3, "CuDNNLSTM": 4}


def write_hdf5(path: Path, arrays: Mapping[str, Any], texts: Mapping[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
        for name, text in texts.items():
            file.attrs[name] = text.encode()
    return path


# ---- Keras ------------------------------------------------------------------------------


def keras_cell(kind: str, inputs: int, *, after: bool = False, seed: int = 0) -> Arrays:
    """The weights of a recurrent layer by their names in the file."""
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
    """Its entry in model_config."""
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
    """model_config's layers and the weights of two recurrent layers between the others."""
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
    """A file of model.save(); without arguments one of two LSTMs."""
    if layers is None or arrays is None:
        layers, arrays = keras_layers("LSTM", LSTM_OPTIONS)
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}
    weights = {f"model_weights/{name}": array for name, array in arrays.items()}
    texts = {"model_config": json.dumps(config), "keras_version": version, "backend": "tensorflow"}
    return write_hdf5(folder / "model.h5", weights, texts)


def to_cudnn(arrays: Arrays, gates: int) -> Arrays:
    """Weights of an LSTM or GRU as cuDNN's layers keep them: Keras 2's convert_weights."""

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


# ---- ELMo -------------------------------------------------------------------------------

FILTERS = [[1, 2], [2, 3]]
ELMO_OPTIONS: dict[str, Any] = {
    "lstm": {
        "cell_clip": 3,
        "proj_clip": 3,
        "use_skip_connections": True,
        "n_layers": 2,
        "projection_dim": 3,
        "dim": UNITS,
    },
    "char_cnn": {
        "embedding": {"dim": 2},
        "filters": FILTERS,
        "n_highway": 1,
        "n_characters": 262,
        "max_characters_per_token": 8,
        "activation": "relu",
    },
}


def elmo_arrays() -> Arrays:
    total, out = 5, 3
    shapes: dict[str, tuple[int, ...]] = {
        "char_embed": (261, 2),
        "CNN_proj/W_proj": (total, out),
        "CNN_proj/b_proj": (out,),
    }
    for i, (width, count) in enumerate(FILTERS):
        shapes |= {f"CNN/W_cnn_{i}": (1, width, 2, count), f"CNN/b_cnn_{i}": (count,)}
    for gate in ("carry", "transform"):
        shapes |= {f"CNN_high_0/W_{gate}": (total, total), f"CNN_high_0/b_{gate}": (total,)}
    for direction in (0, 1):
        for layer in (0, 1):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes |= {f"{cell}/W_0": (2 * out, 4 * UNITS), f"{cell}/B": (4 * UNITS,)}
            shapes[f"{cell}/W_P_0"] = (UNITS, out)
    return random_arrays(shapes)


def write_elmo(folder: Path) -> Path:
    write_hdf5(folder / "lm_weights.hdf5", elmo_arrays(), {})
    (folder / "options.json").write_text(json.dumps(ELMO_OPTIONS))
    (folder / "vocab.txt").write_text("</S>\n<S>\n<UNK>\nThe\nanimal\nstraße\n", encoding="utf-8")
    return folder


# ---- char-rnn-tensorflow ----------------------------------------------------------------


def charrnn_arrays(kernel: str = "weights", bias: str = "biases") -> Arrays:
    shapes: dict[str, tuple[int, ...]] = {
        "Variable": (),
        "embedding": (VOCAB, UNITS),
        "rnnlm/softmax_w": (UNITS, VOCAB),
        "rnnlm/softmax_b": (VOCAB,),
    }
    for layer in (0, 1):
        cell = f"rnnlm/multi_rnn_cell/cell_{layer}/basic_lstm_cell"
        shapes |= {f"{cell}/{kernel}": (2 * UNITS, 4 * UNITS), f"{cell}/{bias}": (4 * UNITS,)}
    return random_arrays(shapes)


def write_charrnn(folder: Path, arrays: Arrays | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {}
    for name, array in (charrnn_arrays() if arrays is None else arrays).items():
        file = name.replace("/", "_")
        (folder / file).write_bytes(array.astype("<f4").tobytes())
        manifest[name] = {"filename": file, "shape": list(array.shape)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    letters = {letter: i for i, letter in enumerate("ab \né'.")}
    (folder / "vocab.json").write_text(json.dumps(letters), encoding="utf-8")
    return folder


# ---- g2p_en -----------------------------------------------------------------------------


def write_g2p_en(folder: Path) -> Path:
    """Small ones, but for the vocabularies that the package's code holds: 29 and 74 tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, tuple[int, ...]] = {
        "enc_emb": (29, EMBEDDING),
        "dec_emb": (74, EMBEDDING),
        "fc_w": (74, UNITS),
        "fc_b": (74,),
    }
    for side in ("enc", "dec"):
        shapes |= {f"{side}_w_ih": (3 * UNITS, EMBEDDING), f"{side}_w_hh": (3 * UNITS, UNITS)}
        shapes |= {f"{side}_b_ih": (3 * UNITS,), f"{side}_b_hh": (3 * UNITS,)}
    np.savez(folder / "checkpoint20.npz", **random_arrays(shapes))
    return folder / "checkpoint20.npz"
