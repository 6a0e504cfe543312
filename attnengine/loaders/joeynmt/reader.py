"""Reads a JoeyNMT folder: options, weights and vocabularies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.files import torch_checkpoint, yaml_text
from attnengine.loaders.files.text import CONFIG_LIMIT, VOCABULARY_LIMIT, read_text
from attnengine.loaders.files.torch_storages import named_tensors
from attnengine.loaders.joeynmt import CONFIG, names
from attnengine.loaders.shared.derived import transposed, vector
from attnengine.loaders.shared.options import Options
from attnengine.loaders.shared.renaming import rename
from attnengine.loaders.shared.sizes import rnn_sizes, transformer_sizes

_CHECKPOINTS = ("best.ckpt", "latest.ckpt", "*.ckpt")

_Model = tuple[dict[str, Any], dict[str, Tensor]]


def read(path: Path) -> Checkpoint:
    """Read the checkpoint at `path`; in a folder the best, else the latest, else the only one."""
    file = _checkpoint(path) if path.is_dir() else path
    where = file.with_name(CONFIG)
    text = read_text(where, CONFIG_LIMIT)
    options = Options.of(str(where), yaml_text.parse(text, str(where)))
    content = torch_checkpoint.unpickle(file)
    if not isinstance(content, dict) or "model_state" not in content:
        raise FormatError(f"{file} has no model_state, expected a checkpoint of JoeyNMT")
    state = named_tensors(file, content["model_state"])
    recurrent = any(name.startswith("decoder.rnn.") for name in state)
    config, tensors = (_rnn if recurrent else _transformer)(file, options.under("model"), state)
    tokens = {side: _vocabulary(file, options, side) for side in _SIDES}
    special = (names.BOS_ID, names.EOS_ID, names.PAD_ID, names.UNK_ID)
    config |= schema.seq2seq_tokens(
        dict.fromkeys(_SIDES, "words"),
        start=names.BOS_ID,
        source=special,
        target=special,
        add_source_eos=True,
    )
    return schema.checked(path, config, tensors, tokens)


_SIDES = {"source": "src", "target": "trg"}


def _checkpoint(folder: Path) -> Path:
    for pattern in _CHECKPOINTS:
        found = sorted(folder.glob(pattern))
        if len(found) == 1:
            return found[0]
    raise FormatError(f"{folder} has several .ckpt files, expected best.ckpt or the path of one")


def _vocabulary(file: Path, options: Options, side: str) -> list[str]:
    """Read the vocabulary beside the checkpoint, or the file that the config names."""
    short = _SIDES[side]
    beside = file.with_name(f"{short}_vocab.txt")
    if not beside.is_file():
        data = options.under("data")
        nested = data.values.get(short)
        named = data.under(short).text("voc_file", "") if isinstance(nested, dict) else ""
        beside = file.with_name(Path(named or data.text(f"{short}_vocab", beside.name)).name)
    lines = read_text(beside, VOCABULARY_LIMIT).removesuffix("\n").split("\n")
    return list(dict.fromkeys([*names.SPECIAL, *lines]))


def _rnn(path: Path, options: Options, state: Mapping[str, Tensor]) -> _Model:
    """Read an RNN (Luong et al. 2015); one layer maps the top encoder state to all first states."""
    encoder, decoder = options.under("encoder"), options.under("decoder")
    for side in (encoder, decoder):
        if side.under("embeddings").flag("scale", False):
            raise Unsupported(f"{side.where}: embeddings scale is true, expected false in an RNN")
    tensors = rename(state, names.RNN_TABLE, path)
    sizes = rnn_sizes(path, tensors)
    cell = decoder.choice("rnn_type", names.CELLS, "gru")
    if encoder.choice("rnn_type", names.CELLS, "gru") != cell:
        raise Unsupported(f"{options.where}: rnn_type of encoder and decoder differ")
    attention = decoder.choice("attention", names.ATTENTION, "bahdanau")
    hidden = sizes["decoder_hidden_size"]
    activation = decoder.choice("activation", names.READOUTS, "tanh")
    config = {
        "architecture": "rnn_seq2seq",
        **sizes,
        "cell": cell,
        "nonlinearity": "tanh",
        **_bridge(decoder, activation, cell),
        "attention": attention,
        "attention_size": hidden if attention == "additive" else None,
        "attention_query": "new",
        "input_feeding": decoder.flag("input_feeding", True),
        "readout_inputs": ["hidden", "context"],
        "readout_activation": activation,
        "readout_size": hidden,
        "tied_output": False,
        "max_positions": None,
    }
    return config, _canonical(tensors, attention, config)


def _bridge(decoder: Options, activation: str, cell: str) -> dict[str, Any]:
    kinds = {"bridge": ("last", activation), "last": ("last", "linear"), "zero": ("zero", "none")}
    read, through = decoder.choice("init_hidden", kinds, "bridge")
    return {
        "bridge_input": read,
        "bridge_activation": through,
        "bridge_cell": "hidden" if cell == "lstm" else "zero",
    }


def _canonical(
    tensors: Mapping[str, Tensor], attention: str, config: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Move the matrix of Luong's score to the query; add the matrix of a bridge that copies."""
    found = dict(tensors)
    if attention == "general" and "decoder.attention.key.weight" in found:
        found["decoder.attention.query.weight"] = transposed(
            found.pop("decoder.attention.key.weight")
        )
    if "decoder.attention.vector" in found:
        found["decoder.attention.vector"] = vector(found["decoder.attention.vector"])
    if (config["bridge_input"], config["bridge_activation"]) == ("last", "linear"):
        # The bridge copies the forward half of a bidirectional encoder if only this half fits.
        hidden, directions = config["decoder_hidden_size"], 1 + config["bidirectional"]
        copied = np.eye(hidden, config["encoder_hidden_size"] * directions, dtype=np.float32)
        found["bridge.hidden.weight"] = Tensor.of("identity", copied)
    return found


def _transformer(path: Path, options: Options, state: Mapping[str, Tensor]) -> _Model:
    encoder, decoder = options.under("encoder"), options.under("decoder")
    encoder.only(names.ONLY)
    decoder.only(names.ONLY)
    tensors = rename(state, names.TRANSFORMER_TABLE, path)
    sides = (encoder, decoder)
    scaled = [side.under("embeddings").flag("scale", False) for side in sides]
    heads = [side.integer("num_heads", 8) for side in sides]
    activation = [side.choice("activation", names.ACTIVATIONS, "relu") for side in sides]
    for name, values in (("scale", scaled), ("num_heads", heads), ("activation", activation)):
        if values[0] != values[1]:
            raise Unsupported(f"{options.where}: {name} of encoder and decoder are {values}")
    config = {
        "architecture": "transformer",
        **transformer_sizes(path, tensors),
        "num_heads": heads[0],
        **_norms(encoder, decoder, tensors),
        "norm_eps": names.NORM_EPS,
        "activation": activation[0],
        "positions": "sinusoidal",
        "position_layout": "interleaved",
        "position_offset": 0,
        "max_positions": names.MAX_POSITIONS,
        "scale_embeddings": scaled[0],
        "shared_embeddings": False,  # a file holds shared weights twice
        "tied_output": False,
    }
    return config, tensors


def _norms(encoder: Options, decoder: Options, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read the placement of norms: pre-norm has a norm above both sides, post-norm has none.

    Version 1 lacks the option and is pre-norm with a norm above. In version 2 an encoder without
    the option is pre-norm without a norm above.
    """
    final = [f"{side}.layer_norm.weight" in tensors for side in ("encoder", "decoder")]
    placements = {"pre": True, "post": False}
    before = [
        encoder.choice("layer_norm", {**placements, "": True}, ""),
        decoder.choice("layer_norm", {**placements, "": final[1]}, ""),
    ]
    if len({*before, *final}) > 1:
        raise Unsupported(
            f"{encoder.where}: the norms of encoder and decoder are before the blocks {before} and "
            f"above {final}, expected all or none"
        )
    return {"norm_placement": "pre" if before[0] else "post", "final_norm": final[0]}
