"""Shared blocks of Transformer families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.matrix import stacked
from attnengine.models.weights import Weights

# Hugging Face's names and the kernels' names of activations
ActivationName = Literal[
    "gelu", "gelu_fast", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish"
]
KernelActivation = Literal["gelu", "gelu_tanh", "relu", "silu"]
_KERNELS: dict[ActivationName, KernelActivation] = {
    "gelu": "gelu",
    "gelu_fast": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
# transformers' names: a layer attends to all positions, or to a window
LayerType = Literal["full_attention", "sliding_attention"]
FULL: LayerType = "full_attention"
SLIDING: LayerType = "sliding_attention"


def layer_type(
    kinds: Sequence[LayerType] | None, num_layers: int, i: int, *, windowed: bool
) -> LayerType:
    """Return the type of layer i from a config's ``layer_types`` or, without them, ``windowed``.

    Raises FormatError unless ``layer_types`` has one entry per layer.
    """
    if kinds is None:
        return SLIDING if windowed else FULL
    if len(kinds) != num_layers:
        raise FormatError(
            f"config: 'layer_types' has {len(kinds)} entries, expected 'num_hidden_layers' "
            f"{num_layers}"
        )
    return kinds[i]


def window(kind: LayerType, size: int | None) -> int:
    """Return the number of positions that a layer sees, 0 for all."""
    if kind == FULL:
        return 0
    if size is None:
        raise FormatError(f"config: a layer is {kind!r}, but there is no window")
    return size


def activation(name: ActivationName) -> KernelActivation:
    """Return the kernels' name of a Hugging Face activation."""
    return _KERNELS[name]


def fused(
    w: Weights, parts: Sequence[tuple[str, int]], in_size: int, *, bias: bool | None = None
) -> _core.Linear:
    """Join several linear layers with the same input into one layer with concatenated outputs.

    ``parts`` holds names and output sizes. ``bias`` says whether the layers have biases. None reads
    the biases of the checkpoint, with zeros for layers without one.
    """
    weight = stacked([w.matrix(f"{name}.weight", size, in_size) for name, size in parts])
    if bias is None:
        found = [w.get(f"{name}.bias", size) for name, size in parts]
    else:
        found = [w.take(f"{name}.bias", size) if bias else None for name, size in parts]
    if all(one is None for one in found):
        return w.pack(weight)
    zeros = [np.zeros(size, np.float32) for _, size in parts]
    biases = [zero if one is None else one for one, zero in zip(found, zeros, strict=True)]
    return w.pack(weight, np.concatenate(biases))


def projections(
    w: Weights,
    names: tuple[str, str, str],
    sizes: tuple[int, int],
    *,
    cross: bool,
    bias: bool | None = None,
) -> dict[str, Any]:
    """Return arguments of MultiHeadAttention from layers for queries, keys and values.

    ``sizes`` holds the output and input sizes of each. Cross-attention gets its keys and values
    from another input. ``bias`` is that of `fused`.
    """
    parts = [(name, sizes[0]) for name in names]
    if not cross:
        return {"query_key_value": fused(w, parts, sizes[1], bias=bias)}
    return {
        "query": fused(w, parts[:1], sizes[1], bias=bias),
        "key_value": fused(w, parts[1:], sizes[1], bias=bias),
    }


def layer_norm(
    w: Weights, name: str, size: int, eps: float, *, bias: bool = True
) -> _core.LayerNorm:
    """Return the layer norm of ``name.weight`` and, if present, ``name.bias``, both (size,)."""
    weight = w.take(f"{name}.weight", size)
    return _core.LayerNorm(weight, w.take(f"{name}.bias", size) if bias else None, eps=eps)


def feed_forward(
    w: Weights, names: tuple[str, str], sizes: tuple[int, int], act: ActivationName, *, bias: bool
) -> _core.FeedForward:
    """Build a feed-forward network; ``sizes`` are the hidden and the intermediate size."""
    size, wide = sizes
    return _core.FeedForward(
        up=w.linear(names[0], wide, size, bias=bias),
        down=w.linear(names[1], size, wide, bias=bias),
        activation=activation(act),
    )


def gated_feed_forward(
    w: Weights,
    size: int,
    wide: int,
    act: ActivationName,
    *,
    bias: bool = False,
    output_scale: float = 1.0,
) -> _core.FeedForward:
    """Build Llama's gated network from ``gate_proj``, ``up_proj`` and ``down_proj``."""
    return _core.FeedForward(
        up=fused(w, [("gate_proj", wide), ("up_proj", wide)], size, bias=bias),
        down=w.linear("down_proj", size, wide, bias=bias, scale=output_scale),
        activation=activation(act),
        gated=True,
    )


def check_heads(num_heads: int, hidden_size: int, key: str = "num_attention_heads") -> None:
    """Raise FormatError unless the number of heads divides the hidden size."""
    if hidden_size % num_heads:
        raise FormatError(
            f"config: {key!r} is {num_heads}, expected a divisor of the hidden size {hidden_size}"
        )
