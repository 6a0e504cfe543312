"""Reads a folder of ELMo: options, weights and the vectors of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.elmo import PATTERNS, characters
from attnengine.loaders.files import hdf5
from attnengine.loaders.files.text import CONFIG_LIMIT, VOCABULARY_LIMIT, read_object, read_text
from attnengine.loaders.shared import tensorflow1
from attnengine.loaders.shared.options import Options

BOS, EOS = "<S>", "</S>"


def read(path: Path) -> Checkpoint:
    """Read the folder; `Unsupported` names an option that attnengine lacks."""
    options_file, weights_file, vocabulary_file = (_only(path, name) for name in PATTERNS)
    values = read_object(options_file, CONFIG_LIMIT)
    options = Options.of(str(options_file), values)
    tokens = _tokens(vocabulary_file)
    weights = hdf5.read(weights_file).tensors
    table = characters.embedding(weights_file, options.under("char_cnn"), weights, tokens)
    config = {
        "architecture": "rnn_encoder",
        "tokenizer": "words",
        "bos_token_id": tokens.index(BOS),
        "eos_token_id": tokens.index(EOS),
        "add_bos": True,
        "add_eos": True,
        "pad_token_id": None,
        "unk_token_id": None,  # every word has characters
        "vocab_size": len(tokens),
        "embedding_size": table.shape[1],
        **_stack(options.under("lstm")),
    }
    tensors = {"embedding.weight": table, **_lstms(weights_file, weights, config["num_layers"])}
    return schema.checked(path, config, tensors, {"vocabulary": tokens})


def _stack(lstm: Options) -> dict[str, Any]:
    clips = {key: lstm.values.get(key) for key in ("cell_clip", "proj_clip")}
    for key, clip in clips.items():
        if clip is not None and type(clip) not in (int, float):
            raise lstm.error(key, "a number or null")
    return {
        "hidden_size": lstm.integer("dim"),
        "projection_size": lstm.integer("projection_dim"),
        "num_layers": lstm.integer("n_layers"),
        "cell": "lstm",
        "nonlinearity": "tanh",
        "cell_clip": clips["cell_clip"],
        "projection_clip": clips["proj_clip"],
        "bidirectional": True,
        "separate_directions": True,
        "skip_connections": lstm.flag("use_skip_connections"),
        "states": "all",
        "pooling": "mean",
    }


def _lstms(path: Path, weights: dict[str, Tensor], num_layers: int) -> dict[str, Tensor]:
    """Return the layers of both directions; raise FormatError for other weights left."""
    found: dict[str, Tensor] = {}
    taken = set(characters.names(weights))
    for direction, end in enumerate(("", "_reverse")):
        for layer in range(num_layers):
            group = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            parts = [f"{group}/{name}" for name in ("W_0", "B", "W_P_0")]
            for name in parts:
                if name not in weights:
                    raise FormatError(f"{path}: the weight {name} is missing")
            taken |= set(parts)
            cell = tensorflow1.lstm(path, f"l{layer}{end}", *(weights[name] for name in parts))
            found |= {f"rnn.{name}": tensor for name, tensor in cell.items()}
    left = sorted(weights.keys() - taken)
    if left:
        raise FormatError(f"{path}: weights that the options do not explain: {', '.join(left[:3])}")
    return found


def _tokens(file: Path) -> Sequence[str]:
    """Return the tokens of the vocabulary with the begin and end tokens of sentences."""
    tokens = read_text(file, VOCABULARY_LIMIT).removesuffix("\n").split("\n")
    return [*tokens, *(token for token in (BOS, EOS) if token not in tokens)]


def _only(path: Path, pattern: str) -> Path:
    found = sorted(path.glob(pattern))
    if len(found) != 1:
        raise FormatError(f"{path} has {len(found)} files {pattern}, expected one")
    return found[0]
