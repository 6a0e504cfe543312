"""Elementwise activations; the result has the shape and the precision of the input."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from attnengine.reference.arrays import Floats

Activation = Callable[[Floats], Floats]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), through tanh so that no exp overflows."""
    y: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return y


def hard_sigmoid(x: Floats) -> Floats:
    """Limit x / 5 + 1/2 to [0, 1] (Theano, Keras 1 and 2, TensorFlow 1)."""
    y: Floats = np.clip(0.2 * x + 0.5, 0.0, 1.0)
    return y


def hard_sigmoid_6(x: Floats) -> Floats:
    """Limit x / 6 + 1/2 to [0, 1] (Keras 3, PyTorch's Hardsigmoid)."""
    y: Floats = np.clip(x / 6.0 + 0.5, 0.0, 1.0)
    return y


def tanh(x: Floats) -> Floats:
    """Hyperbolic tangent."""
    return np.asarray(np.tanh(x))


def relu(x: Floats) -> Floats:
    """max(x, 0)."""
    return np.maximum(x, np.zeros((), x.dtype))


def gelu(x: Floats) -> Floats:
    """Return x * Phi(x) with the normal distribution function Phi (Hendrycks and Gimpel 2016)."""
    y: Floats = 0.5 * x * (1.0 + _erf(x / math.sqrt(2.0)).astype(x.dtype))
    return y


def gelu_tanh(x: Floats) -> Floats:
    """The tanh approximation of gelu, from the same paper."""
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def silu(x: Floats) -> Floats:
    """Return x * sigmoid(x), also called swish (Ramachandran et al. 2017)."""
    return x * sigmoid(x)


def identity(x: Floats) -> Floats:
    """Return x itself: the activation of a linear layer."""
    return x


# By name; Hugging Face has further names for gelu_tanh and silu.
ACTIVATIONS: dict[str, Activation] = {
    "gelu": gelu,
    "gelu_fast": gelu_tanh,
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "gelu_tanh": gelu_tanh,
    "hard_sigmoid": hard_sigmoid,
    "hard_sigmoid_6": hard_sigmoid_6,
    "linear": identity,
    "relu": relu,
    "sigmoid": sigmoid,
    "silu": silu,
    "swish": silu,
    "tanh": tanh,
}


def gated_activation(both: Floats, activation: str) -> Floats:
    """activation(gate) * up (Shazeer 2020); ``both`` (rows, 2 * n) is gate, then up.

    Returns (rows, n).
    """
    gate, up = np.split(both, 2, axis=1)
    gated: Floats = ACTIVATIONS[activation](gate) * up
    return gated
