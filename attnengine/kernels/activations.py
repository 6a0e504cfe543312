"""Activations, element by element."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core

Floats = NDArray[np.float32]


def tanh(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """Hyperbolic tangent of every element."""
    return _core.activate(x, "tanh", num_threads)


def sigmoid(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """1 / (1 + exp(-x)) of every element."""
    return _core.activate(x, "sigmoid", num_threads)


def relu(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """max(x, 0) of every element."""
    return _core.activate(x, "relu", num_threads)


def gelu(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """Multiply x by the normal distribution function of x (Hendrycks and Gimpel 2016), by erf."""
    return _core.activate(x, "gelu", num_threads)


def gelu_tanh(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """The tanh approximation of gelu, from the same paper."""
    return _core.activate(x, "gelu_tanh", num_threads)


def silu(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """Return x * sigmoid(x) of every element (Elfwing et al. 2018); also called swish."""
    return _core.activate(x, "silu", num_threads)


def gated_activation(both: ArrayLike, activation: str, *, num_threads: int = 1) -> Floats:
    """activation(gate) * up of both (rows, 2 * n), gates first (Shazeer 2020); returns (rows, n).

    The activations are those of `linear`.
    """
    return _core.gated_activation(both, activation, num_threads)
