"""Pieces that Transformer families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from attnengine import _core
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


def fused(w: Weights, parts: Sequence[tuple[str, int]], in_size: int) -> _core.Linear:
    """Several linear layers of one input as one product, their outputs side by side.

    ``parts`` are names and output sizes; where only some have a bias, the others get zeros.
    """
    weights = [w.take(f"{name}.weight", size, in_size) for name, size in parts]
    biases = [w.get(f"{name}.bias", size) for name, size in parts]
    return _core.Linear(np.concatenate(weights), join_biases(biases, [size for _, size in parts]))


def join_biases(biases: Sequence[Floats | None], sizes: Sequence[int]) -> Floats | None:
    """The biases side by side, zeros where there is none; None when none has one."""
    if all(bias is None for bias in biases):
        return None
    zeros = [np.zeros(size, np.float32) for size in sizes]
    return np.concatenate(
        [z if bias is None else bias for bias, z in zip(biases, zeros, strict=True)]
    )
