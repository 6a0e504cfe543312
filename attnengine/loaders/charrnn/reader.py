"""Reads a folder of char-rnn-tensorflow: variables and characters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.charrnn import MANIFEST, VOCABULARY
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.files.arrays import num_bytes
from attnengine.loaders.files.damage import short
from attnengine.loaders.files.mapped import MappedFile
from attnengine.loaders.files.text import CONFIG_LIMIT, VOCABULARY_LIMIT, read_object
from attnengine.loaders.shared import tensorflow1
from attnengine.loaders.shared.derived import transposed
from attnengine.loaders.shared.renaming import count_layers, enter, matrix_shape

# "weights" and "biases" became "kernel" and "bias" in TensorFlow 1.2
_CELL = re.compile(
    r"rnnlm/(?:multi_rnn_cell/cell_([0-9]{1,3})/)?(?:basic_)?lstm_cell/"
    r"(?:(weights|kernel)|(?:biases|bias))"
)
_OTHERS = {
    "embedding": "embedding.weight",
    "rnnlm/embedding": "embedding.weight",
    "rnnlm/softmax_w": "output.weight",
    "rnnlm/softmax_b": "output.bias",
}
_IGNORED = frozenset(("Variable", "Variable_1"))  # training state: epoch and batch


def read(path: Path) -> Checkpoint:
    """Read the folder; `Unsupported` names a variable of another cell."""
    found = _canonical(path, _variables(path))
    vocab_size, embedding_size = matrix_shape(path, found, "embedding.weight")
    tokens = _characters(path / VOCABULARY, vocab_size)
    config = {
        "architecture": "rnn_lm",
        "tokenizer": "characters",
        **dict.fromkeys(schema.SPECIAL),
        "vocab_size": vocab_size,
        "embedding_size": embedding_size,
        "hidden_size": matrix_shape(path, found, "rnn.weight_hh_l0")[1],
        "num_layers": count_layers(found, r"rnn\.weight_hh_l([0-9]+)", path),
        "cell": "lstm",
        "nonlinearity": "tanh",
        "tied_output": False,
        "max_positions": None,
    }
    return schema.checked(path, config, found, {"vocabulary": tokens})


def _variables(path: Path) -> dict[str, Tensor]:
    """Variables of the manifest by name; each one fills a file of the folder."""
    manifest, tensors = path / MANIFEST, {}
    for name, entry in read_object(manifest, CONFIG_LIMIT).items():
        entry = entry if isinstance(entry, dict) else {}
        file, shape = entry.get("filename", ""), entry.get("shape", [None])
        fits = isinstance(file, str) and Path(file).name == file and isinstance(shape, list)
        if not fits or not all(type(size) is int for size in shape):
            raise FormatError(
                f"{manifest}: {name!r:.200} is {short(entry)}, expected the name of a file beside "
                "it and a shape"
            )
        mapped, size = MappedFile(path / file), num_bytes(shape, 4, f"{manifest}: {name}")
        if mapped.size != size:
            raise FormatError(f"{mapped.path} has {mapped.size} bytes, expected {size}")
        tensors[name] = mapped.array(name, "float32", shape, 0)
    return tensors


def _canonical(path: Path, variables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    cells: dict[int, dict[str, Tensor]] = {}
    found: dict[str, Tensor] = {}
    for name, tensor in variables.items():
        match = _CELL.fullmatch(name)
        if match:
            cell = cells.setdefault(int(match[1] or 0), {})
            enter(cell, "kernel" if match[2] else "bias", tensor, path)
        elif name in _OTHERS:
            turned = tensor if "embedding" in name else transposed(tensor)
            enter(found, _OTHERS[name], turned, path)
        elif name not in _IGNORED:
            raise Unsupported(f"{path}: variable {name!r:.200}, expected those of LSTMs")
    for layer, cell in cells.items():
        if len(cell) < 2:
            raise FormatError(f"{path}: layer {layer} has only its {next(iter(cell))}")
        weights = tensorflow1.lstm(path, f"l{layer}", cell["kernel"], cell["bias"])
        found |= {f"rnn.{name}": tensor for name, tensor in weights.items()}
    return found


def _characters(file: Path, size: int) -> list[str]:
    """The characters in the order of their ids, which must be 0, 1, ..."""
    ids = read_object(file, VOCABULARY_LIMIT)
    if sorted(map(str, ids.values())) != sorted(map(str, range(size))):
        raise FormatError(f"{file} has {len(ids)} ids, expected each of 0 to {size - 1} once")
    return sorted(ids, key=lambda token: int(ids[token]))
