"""Reads Marian's .npz files; the array special:model.yml has the options.

The types s2s and nematus (amun, with Nematus' names) become "rnn_seq2seq"; the type transformer
becomes "transformer".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import Unsupported
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.files import yaml_text
from attnengine.loaders.marian import names, nematus, zero_start
from attnengine.loaders.marian.vocabularies import read_sides
from attnengine.loaders.shared.derived import gates_ordered, joined, oriented, transposed
from attnengine.loaders.shared.options import Options
from attnengine.loaders.shared.renaming import matrix_shape, rename
from attnengine.loaders.shared.sizes import transformer_sizes

OPTIONS = "special:model.yml"  # the array by which Marian's archives are recognised


def read(path: Path, tensors: Mapping[str, Tensor], text: str) -> Checkpoint:
    """Join the weights with the options in `text` and with the vocabularies beside the file."""
    options = Options.of(f"{path}: {OPTIONS}", yaml_text.parse(text, f"{path}: {OPTIONS}"))
    kind = options.choice("type", _READERS)
    config, weights = kind(path, options, tensors)
    sizes = (config["source_vocab_size"], config["target_vocab_size"])
    return zero_start.checkpoint(path, config, weights, read_sides(path, sizes))


_LAYER = re.compile(r"_l([0-9]{1,3})_(?=self|context|ffn|cell|rnn|aan)")


def _prepared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with layers counted from 0, matrices (input, output), none shared."""
    prepared = {}
    for name, tensor in tensors.items():
        name = _LAYER.sub(lambda match: f"_l{int(match[1]) - 1}_", name)
        if name in ("Wemb", "Wpos"):
            prepared[f"encoder_{name}"] = prepared[f"decoder_{name}"] = tensor
        elif name.endswith("_Wt"):
            prepared[name[:-1]] = transposed(tensor)
        else:
            prepared[name] = tensor
    return prepared


_Part = tuple[dict[str, Any], dict[str, Tensor]]


def _rnn(path: Path, options: Options, tensors: Mapping[str, Tensor]) -> _Part:
    options.only(names.RNN_ONLY)
    cell = options.choice("enc-cell", names.CELLS, "gru")
    if cell != options.choice("dec-cell", names.CELLS, "gru"):
        raise Unsupported(f"{path}: enc-cell and dec-cell differ, expected the same")
    renamed = rename(_prepared(tensors), names.RNN_TABLE, path)
    weights = joined(oriented(renamed, names.VECTORS, names.KEPT), path)
    if cell == "lstm":
        for name in weights:
            if re.fullmatch(r".*\.(?:rnn|transition)\..*", name):
                weights[name] = gates_ordered(weights[name], names.LSTM_GATES, path)
    return nematus.architecture(path, weights, cell), weights


def _nematus(path: Path, options: Options, tensors: Mapping[str, Tensor]) -> _Part:
    options.only(names.RNN_ONLY)
    weights = nematus.weights(path, tensors)
    return nematus.architecture(path, weights, "gru"), weights


def _transformer(path: Path, options: Options, tensors: Mapping[str, Tensor]) -> _Part:
    options.only(names.TRANSFORMER_ONLY)
    if options.values.get("transformer-tied-layers", []) != []:
        raise Unsupported(f"{options.where}: transformer-tied-layers is given, expected none")
    keys = ("transformer-preprocess", "transformer-postprocess", "transformer-postprocess-top")
    placement = tuple(options.text(key, "").replace("d", "") for key in keys)
    if placement not in names.NORM_PLACEMENTS:
        raise Unsupported(
            f"{options.where}: {', '.join(keys)} are {placement} without dropout, expected one of "
            f"{', '.join(map(str, names.NORM_PLACEMENTS))}"
        )
    renamed = rename(_prepared(tensors), names.TRANSFORMER_TABLE, path)
    weights = joined(oriented(renamed, names.VECTORS, names.KEPT), path)
    norm = names.NORM_PLACEMENTS[placement[0], placement[1], placement[2]]
    return _transformer_config(path, options, weights, norm), weights


def _transformer_config(
    path: Path, options: Options, weights: Mapping[str, Tensor], norm: str
) -> dict[str, Any]:
    learned = "encoder.embed_positions.weight" in weights
    positions = names.MAX_POSITIONS
    if learned:
        positions = matrix_shape(path, weights, "encoder.embed_positions.weight")[0]
    return {
        "architecture": "transformer",
        **transformer_sizes(path, weights),
        "num_heads": options.integer("transformer-heads", 8),
        "norm_placement": norm,
        "final_norm": norm == "pre",
        "norm_eps": names.NORM_EPS,
        "activation": options.choice("transformer-ffn-activation", names.ACTIVATIONS, "swish"),
        "positions": "learned" if learned else "sinusoidal",
        "position_layout": None if learned else "halves",
        "position_offset": 0,
        "max_positions": positions,
        "scale_embeddings": True,
        "shared_embeddings": False,  # the target has an additional row
        "tied_output": "lm_head.weight" not in weights,
        **_self_attention(path, options, weights, norm),
    }


def _self_attention(
    path: Path, options: Options, weights: Mapping[str, Tensor], norm: str
) -> dict[str, Any]:
    """Return the keys of self-attention or of its replacement in the decoder."""
    kind = options.choice("transformer-decoder-autoreg", names.SELF_ATTENTION, "self-attention")
    if kind == "ssru":
        options.choice("dec-cell", {"ssru": None}, "gru")
        options.choice("layer-normalization", {"false": None}, "false")
    if kind != "average":
        return {"decoder_self_attention": kind}
    if norm != "post":  # Marian norms the mean alone, and not what the gates and the sum read
        raise Unsupported(f"{options.where}: transformer-preprocess with average-attention")
    activation = options.choice("transformer-aan-activation", names.ACTIVATIONS, "swish")
    if activation != options.choice("transformer-ffn-activation", names.ACTIVATIONS, "swish"):
        raise Unsupported(
            f"{options.where}: transformer-aan-activation is not transformer-ffn-activation"
        )
    options.choice("transformer-aan-depth", {"2": None}, "2")
    size = matrix_shape(path, weights, "decoder.layers.0.average.fc1.weight")[0]
    return {"decoder_self_attention": kind, "average_intermediate_size": size}


_READERS = {"s2s": _rnn, "nematus": _nematus, "amun": _nematus, "transformer": _transformer}
