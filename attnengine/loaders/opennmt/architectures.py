"""Turns OpenNMT-py's options into configs of "rnn_seq2seq" and "transformer"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.damage import short
from attnengine.loaders.opennmt import names
from attnengine.loaders.shared.derived import block_diagonal, vector
from attnengine.loaders.shared.options import Options
from attnengine.loaders.shared.sizes import rnn_sizes, transformer_sizes

_Model = tuple[dict[str, Any], dict[str, Tensor]]


def rnn(path: Path, options: Mapping[str, Any], renamed: Mapping[str, Tensor]) -> _Model:
    """Config and weights of an RNN encoder-decoder.

    Luong et al. 2015 with input feeding, as OpenNMT-py has it. The decoder starts from the
    encoder's final states, directions concatenated. Attention reads the new hidden state;
    readout = tanh(W [context; hidden]), without tanh for "mlp".
    """
    tensors = {
        name: vector(tensor) if re.fullmatch(names.VECTORS, name) else tensor
        for name, tensor in renamed.items()
    }
    sizes = rnn_sizes(path, tensors)
    encoder, decoder = sizes["encoder_num_layers"], sizes["decoder_num_layers"]
    if encoder != decoder:
        raise Unsupported(
            f"{path}: {encoder} encoder layers and {decoder} decoder layers, expected equal numbers"
        )
    cell = names.CELLS[options["rnn_type"]]
    config = {
        "architecture": "rnn_seq2seq",
        **sizes,
        "cell": cell,
        "nonlinearity": "tanh",
        "bridge_input": "final",
        "bridge_activation": "relu" if "bridge.hidden.weight" in tensors else "none",
        "bridge_cell": "own" if cell == "lstm" else "zero",
        **_attention(path, options, sizes["decoder_hidden_size"]),
        "tied_output": False,  # a shared weight stands in the file twice
        "max_positions": None,
    }
    return config, _whole_bridge(path, tensors, sizes)


def _attention(path: Path, options: Mapping[str, Any], hidden: int) -> dict[str, Any]:
    attention = names.ATTENTION[options["global_attention"] or "none"]
    feeding = options["input_feed"]
    if feeding not in (0, 1):
        raise FormatError(f"{path}: input_feed is {short(feeding)}, expected 0 or 1")
    if attention == "none" and feeding:
        raise Unsupported(f"{path}: input_feed is 1 without attention, which has no readout")
    return {
        "input_feeding": bool(feeding),
        "attention": attention,
        "attention_size": hidden if attention == "additive" else None,
        "attention_query": "new",
        "readout_inputs": ["hidden"] if attention == "none" else ["context", "hidden"],
        "readout_activation": {"none": "none", "additive": "linear"}.get(attention, "tanh"),
        "readout_size": None if attention == "none" else hidden,
    }


def _whole_bridge(
    path: Path, tensors: Mapping[str, Tensor], sizes: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Turn the bridge of a bidirectional encoder into one layer over all final states.

    OpenNMT-py cuts the final states of all layers and directions into one chunk per direction,
    and applies the same layer to each chunk.
    """
    size = sizes["encoder_num_layers"] * sizes["encoder_hidden_size"]  # of one chunk
    whole = dict(tensors)
    for name, tensor in tensors.items():
        if name.startswith("bridge.") and sizes["bidirectional"]:
            if not tensor.shape or set(tensor.shape) != {size}:
                raise FormatError(f"{path}: {tensor.name} is {tensor.shape}, expected {size}")
            whole[name] = block_diagonal([tensor, tensor], path)
    return whole


def transformer(path: Path, options: Mapping[str, Any], renamed: Mapping[str, Tensor]) -> _Model:
    """Config and weights of a Transformer: pre-norm, with a norm above each side."""
    known = Options(str(path), options)
    config = {
        "architecture": "transformer",
        **transformer_sizes(path, renamed),
        "num_heads": known.integer("heads"),
        "norm_placement": "pre",
        "final_norm": True,
        "norm_eps": options.get("norm_eps", names.NORM_EPS),
        "activation": known.choice("pos_ffn_activation_fn", names.ACTIVATIONS, "relu"),
        "positions": "sinusoidal",
        "position_layout": known.choice("position_encoding_type", names.LAYOUTS, names.INTERLEAVED),
        "position_offset": 0,
        "max_positions": names.MAX_POSITIONS,
        "scale_embeddings": True,
        "shared_embeddings": False,  # a shared weight stands in the file twice
        "tied_output": False,
        "decoder_self_attention": known.choice(
            "self_attn_type", names.SELF_ATTENTION, "scaled-dot"
        ),
    }
    return config, dict(renamed)
