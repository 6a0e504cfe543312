"""Linear layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core

Floats = NDArray[np.float32]


def linear(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str = "none",
    *,
    num_threads: int = 1,
) -> Floats:
    """activation(x @ weight.T + bias); packs the weight: use `PackedLinear` for many calls.

    x (rows, in), weight (out, in), bias (out,) or None; activation "none", "relu", "tanh",
    "sigmoid", "gelu", "gelu_tanh", "silu", "hard_sigmoid" (x / 5 + 1/2 limited to [0, 1]) or
    "hard_sigmoid_6" (x / 6 + 1/2). Returns (rows, out).
    """
    return _core.linear(x, weight, bias, activation, num_threads)
