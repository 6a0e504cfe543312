"""Reads textgenrnn's weights: embedding, LSTMs, and attention that averages a window's states.

The file NAME_weights.hdf5 has only weights. NAME_vocab.json has the id of each character, and
NAME_config.json, which may be missing, has textgenrnn's options.
"""

from __future__ import annotations

from pathlib import Path

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.files.hdf5 import Contents
from attnengine.loaders.files.text import VOCABULARY_LIMIT, read_object, read_optional
from attnengine.loaders.keras import cells
from attnengine.loaders.shared.derived import transposed, vector
from attnengine.loaders.shared.options import Options
from attnengine.loaders.shared.renaming import count_layers, enter, matrix_shape

_META = "<s>"  # begins and ends every text
_LENGTH = 40  # textgenrnn's default
_SINGLE = {
    "embedding/embeddings": "embedding.weight",
    "output/kernel": "output.weight",
    "output/bias": "output.bias",
    "attention/attention_W": "pooling.query",
}


def matches(contents: Contents) -> bool:
    """Whether a file has the layers of textgenrnn."""
    return {"rnn_1", "attention", "output"} <= {name.split("/")[0] for name in contents.tensors}


def read(path: Path, contents: Contents) -> Checkpoint:
    """Join weights, options and characters."""
    options = Options.of(f"{path}: options", read_optional(_beside(path, "config")))
    options.only({"word_level": ("False",), "rnn_type": ("LSTM", "lstm")})
    tensors = _tensors(path, contents)
    vocab_size, embedding_size = matrix_shape(path, tensors, "embedding.weight")
    tokens = _characters(path, vocab_size)
    meta = tokens.index(_META) if _META in tokens else None
    config = {
        "architecture": "rnn_window_lm",
        "tokenizer": "characters",
        "bos_token_id": meta,
        "eos_token_id": meta,
        "pad_token_id": 0,
        "unk_token_id": 0,
        "vocab_size": vocab_size,
        "embedding_size": embedding_size,
        "hidden_size": matrix_shape(path, tensors, "rnn.weight_hh_l0")[1],
        "num_layers": count_layers(tensors, r"rnn\.weight_hh_l([0-9]+)", path),
        "cell": "lstm",
        "nonlinearity": "tanh",
        "bidirectional": "rnn.weight_hh_l0_reverse" in tensors,
        "states": "all",
        "pooling": "attention",
        "window": options.integer("max_length", _LENGTH),
        "window_padding_id": 0,
        "max_positions": None,
    }
    return schema.checked(path, config, tensors, {"vocabulary": tokens})


def _tensors(path: Path, contents: Contents) -> dict[str, Tensor]:
    """Return weights with canonical names; the size of a bias tells cuDNN's layout."""
    tensors: dict[str, Tensor] = {}
    layers: dict[str, dict[str, Tensor]] = {}
    for name, tensor in contents.tensors.items():
        parts = name.removesuffix(":0").split("/")
        key = f"{parts[0]}/{parts[-1]}"
        if key in _SINGLE:
            enter(tensors, _SINGLE[key], tensor, path)
        elif parts[0].startswith("rnn_") and parts[0][4:].isdecimal() and len(parts[0]) < 8:
            reverse = "_reverse" if any("backward" in part for part in parts) else ""
            suffix = f"l{int(parts[0][4:]) - 1}{reverse}"
            enter(layers.setdefault(suffix, {}), parts[-1], tensor, path)
        else:
            raise Unsupported(f"{path}: weight {name!r:.200} belongs to nothing of textgenrnn")
    tensors["output.weight"] = transposed(tensors["output.weight"])
    tensors["pooling.query"] = vector(tensors["pooling.query"])
    for suffix, weights in layers.items():
        cudnn = cells.has_cudnn_bias("lstm", weights)
        found = cells.cell(path, "lstm", suffix, weights, cudnn=cudnn)
        tensors |= {f"rnn.{name}": tensor for name, tensor in found.items()}
    return tensors


def _characters(path: Path, size: int) -> list[str]:
    """Return characters by id; id 0 is padding and stands for unknown characters."""
    tokens = [""] * size
    for token, value in read_object(_beside(path, "vocab"), VOCABULARY_LIMIT).items():
        if type(value) is not int or not 0 < value < size:
            raise FormatError(
                f"{path}: the id of {token!r:.80} is {value!r:.80}, expected 1 to {size - 1}"
            )
        tokens[value] = token
    return tokens


def _beside(path: Path, what: str) -> Path:
    """Return the path of NAME_what.json beside NAME_weights.hdf5."""
    return path.with_name(f"{path.stem.removesuffix('_weights')}_{what}.json")
