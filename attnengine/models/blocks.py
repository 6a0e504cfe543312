"""Pieces that Transformer families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.registry import Weights

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


def check_heads(num_heads: int, hidden_size: int, key: str = "num_attention_heads") -> None:
    """Raise FormatError where heads do not share the hidden size evenly."""
    if hidden_size % num_heads:
        raise FormatError(
            f"config: {key!r} is {num_heads}, expected a divisor of the hidden size {hidden_size}"
        )
