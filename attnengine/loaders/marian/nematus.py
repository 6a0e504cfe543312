"""Nematus' .npz files of its Theano version, with options in a .json of the whole name and more.

The conditional GRU with deep output: see `attnengine.loaders.marian.nematus_names`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.marian import nematus_names as names
from attnengine.loaders.marian import zero_start
from attnengine.loaders.marian.vocabularies import Sides, read_vocabulary
from attnengine.loaders.shared.derived import joined, oriented
from attnengine.loaders.shared.options import Options
from attnengine.loaders.shared.renaming import matrix_shape, rename
from attnengine.loaders.shared.sizes import rnn_sizes


def read(path: Path, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> Checkpoint:
    """Join weights, options and the dictionaries that the options name, beside the file."""
    options = Options.of(f"{path}.json", values)
    options.only(names.ONLY)
    if options.flag("use_dropout", False) and "model_version" not in values:
        raise Unsupported(
            f"{options.where}: use_dropout is true without model_version: the weights were to be "
            "scaled"
        )
    files = values.get("dictionaries")
    if not isinstance(files, list) or len(files) != 2:
        raise FormatError(f"{options.where}: dictionaries are not those of source and target")
    found = weights(path, tensors)
    config = architecture(path, found, "gru")
    sizes = (config["source_vocab_size"], config["target_vocab_size"])
    source, target = (
        read_vocabulary(path, name, size) for name, size in zip(files, sizes, strict=True)
    )
    return zero_start.checkpoint(path, config, found, Sides(source, target))


def weights(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in canonical names, from those of Nematus."""
    renamed = rename(tensors, names.TABLE, path)
    found = joined(oriented(renamed, names.VECTORS, names.KEPT), path)
    if "decoder.embedding.weight" not in found and "encoder.embedding.weight" in found:
        found["decoder.embedding.weight"] = found["encoder.embedding.weight"]
    return found


def architecture(path: Path, found: Mapping[str, Tensor], cell: str) -> dict[str, Any]:
    """Config of the conditional RNN that Nematus and Marian share."""
    query = matrix_shape(path, found, "decoder.attention.query.weight")
    readout = matrix_shape(path, found, "decoder.readout.weight")
    return {
        "architecture": "rnn_seq2seq",
        **rnn_sizes(path, found),
        "cell": cell,
        "nonlinearity": "tanh",
        "bridge_input": "mean",
        "bridge_activation": "tanh",
        "bridge_cell": "hidden" if cell == "lstm" else "zero",
        "attention": "additive",
        "attention_size": query[0],
        "attention_query": "between",
        "input_feeding": False,
        "readout_inputs": names.READOUT_INPUTS,
        "readout_activation": "tanh",
        "readout_size": readout[0],
        "tied_output": "decoder.output.weight" not in found,
        "max_positions": None,
    }
