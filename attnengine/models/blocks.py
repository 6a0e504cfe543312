"""Pieces that Transformer families share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.registry import Floats, Weights

# Hugging Face's names, and the kernels'.
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


def activation(name: ActivationName) -> KernelActivation:
    """Return the kernels' name of an activation."""
    return _KERNELS[name]


def fused(
    w: Weights, parts: Sequence[tuple[str, int]], in_size: int, *, bias: bool | None = None
) -> _core.Linear:
    """Several linear layers of one input as one product, their outputs side by side.

    ``parts`` are names and output sizes. ``bias`` says whether they have one; None: as the
    checkpoint has it, zeros where only others have one.
    """
    weights = [w.take(f"{name}.weight", size, in_size) for name, size in parts]
    if bias is None:
        found = [w.get(f"{name}.bias", size) for name, size in parts]
    else:
        found = [w.take(f"{name}.bias", size) if bias else None for name, size in parts]
    if all(one is None for one in found):
        return _core.Linear(np.concatenate(weights))
    zeros = [np.zeros(size, np.float32) for _, size in parts]
    biases = [zero if one is None else one for one, zero in zip(found, zeros, strict=True)]
    return _core.Linear(np.concatenate(weights), np.concatenate(biases))


def layer_norm(
    w: Weights, name: str, size: int, eps: float, *, bias: bool = True
) -> _core.LayerNorm:
    """Return the layer norm of ``name.weight`` and, unless it has none, ``name.bias`` (size,)."""
    weight = w.take(f"{name}.weight", size)
    return _core.LayerNorm(weight, w.take(f"{name}.bias", size) if bias else None, eps=eps)


def output_layer(
    weights: Weights, embedding: Floats, *, tied: bool, bias: bool = False, scale: float = 1.0
) -> _core.Linear:
    """Build the layer that gives logits, times ``scale``: ``lm_head``, or the embedding."""
    weight = embedding if tied else weights.take("lm_head.weight", *embedding.shape)
    if scale != 1:
        weight = weight * np.float32(scale)
    return _core.Linear(weight, weights.take("lm_head.bias", len(weight)) if bias else None)


def feed_forward(
    w: Weights, names: tuple[str, str], sizes: tuple[int, int], act: ActivationName, *, bias: bool
) -> _core.FeedForward:
    """Two linear layers; ``sizes`` are of the model and between them."""
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
    """Llama's, of ``gate_proj``, ``up_proj`` and ``down_proj``."""
    return _core.FeedForward(
        up=fused(w, [("gate_proj", wide), ("up_proj", wide)], size, bias=bias),
        down=w.linear("down_proj", size, wide, bias=bias, scale=output_scale),
        activation=activation(act),
        gated=True,
    )


@dataclass(frozen=True)
class Heads:
    """How many heads attention has, how many of them have keys and values, and their size."""

    count: int
    kv_count: int
    dim: int

    @property
    def size(self) -> int:
        """Outputs of all queries."""
        return self.count * self.dim

    @property
    def kv_size(self) -> int:
        """Outputs of all keys, and of all values."""
        return self.kv_count * self.dim


def heads(size: int, count: int, kv_count: int | None = None, head_dim: int | None = None) -> Heads:
    """Return the heads of a model; FormatError for numbers that do not go together."""
    if head_dim is None and size % count:
        raise FormatError(f"config: {count} heads, expected a divisor of the hidden size {size}")
    kv_count = kv_count or count
    if count % kv_count:
        raise FormatError(f"config: {kv_count} key/value heads, expected a divisor of {count}")
    return Heads(count, kv_count, head_dim or size // count)


def separate_qkv(
    w: Weights,
    size: int,
    heads: Heads,
    *,
    bias: bool,
    names: tuple[str, str, str] = ("q_proj", "k_proj", "v_proj"),
) -> dict[str, Any]:
    """Arguments of MultiHeadAttention where queries, keys and values have a layer each."""
    query, key, value = names
    keys_and_values = [(key, heads.kv_size), (value, heads.kv_size)]
    return {
        "query": w.linear(query, heads.size, size, bias=bias),
        "key_value": fused(w, keys_and_values, size, bias=bias),
        "num_heads": heads.count,
        "num_kv_heads": heads.kv_count,
    }


def grouped_qkv(w: Weights, name: str, size: int, heads: Heads, *, bias: bool) -> dict[str, Any]:
    """The same where one layer gives, for each key/value head, its queries, its key, its value."""
    rows = heads.size + 2 * heads.kv_size
    query, key_value = split_groups(w.take(f"{name}.weight", rows, size), heads)
    query_bias = key_value_bias = None
    if bias:
        query_bias, key_value_bias = split_groups(w.take(f"{name}.bias", rows), heads)
    return {
        "query": _core.Linear(query, query_bias),
        "key_value": _core.Linear(key_value, key_value_bias),
        "num_heads": heads.count,
        "num_kv_heads": heads.kv_count,
    }


def split_groups(rows: Floats, heads: Heads) -> tuple[Floats, Floats]:
    """(kv_count * (group + 2) * dim, ...) -> queries (size, ...), keys then values."""
    rest = rows.shape[1:]
    groups = rows.reshape(heads.kv_count, -1, heads.dim, *rest)
    query, key, value = (
        np.ascontiguousarray(part).reshape(-1, *rest)
        for part in (groups[:, :-2], groups[:, -2], groups[:, -1])
    )
    return query, np.concatenate([key, value])


def check_heads(num_heads: int, hidden_size: int, key: str = "num_attention_heads") -> None:
    """Raise FormatError where heads do not share the hidden size evenly."""
    if hidden_size % num_heads:
        raise FormatError(
            f"config: {key!r} is {num_heads}, expected a divisor of the hidden size {hidden_size}"
        )
