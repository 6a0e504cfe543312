"""Recurrences that replace self-attention in a Transformer's decoder.

Each carries one vector from token to token, whatever the number of past tokens.
"""

from __future__ import annotations

import numpy as np

from attnengine.reference.activations import ACTIVATIONS, sigmoid
from attnengine.reference.arrays import Floats
from attnengine.reference.linear import linear
from attnengine.reference.weights import Weights


def simple_recurrence(x: Floats, before: Floats, weights: Weights) -> tuple[Floats, Floats]:
    """The simpler simple recurrent unit, SSRU (Kim et al. 2019).

    x (tokens, size); before (size,) is c' of the token before x, at first zeros. The weights
    ``forget.*`` and ``input.*`` are (size, size). f = sigmoid(forget(x)),
    c' = f c + (1 - f) input(x). Returns (relu(c') (tokens, size), c' (tokens, size)).
    """
    forget = sigmoid(linear(x, weights["forget.weight"], weights.get("forget.bias")))
    inputs = linear(x, weights["input.weight"], weights.get("input.bias"))
    cells = np.empty_like(x)
    for t in range(len(x)):
        before = cells[t] = forget[t] * before + (1.0 - forget[t]) * inputs[t]
    return np.maximum(cells, 0.0), cells


def average_attention(
    x: Floats, before: Floats, seen: int, weights: Weights, activation: str
) -> tuple[Floats, Floats]:
    """The average attention network (Zhang et al. 2018).

    x (tokens, size); before (size,) is the mean of the ``seen`` tokens before x, at first zeros.
    m is the mean of all tokens up to each one. y is m, or a feed-forward network of m if the
    weights have ``fc1.*`` and ``fc2.*``. ``gate.*`` (2 * size, 2 * size) maps [x; y] to [i; f].
    Returns (i x + f y (tokens, size), m (tokens, size)).
    """
    counts = seen + np.arange(1, len(x) + 1)[:, None]
    means: Floats = (seen * before + np.cumsum(x, axis=0)) / counts
    y: Floats = means
    if "fc1.weight" in weights:
        hidden = linear(means, weights["fc1.weight"], weights.get("fc1.bias"))
        y = linear(ACTIVATIONS[activation](hidden), weights["fc2.weight"], weights.get("fc2.bias"))
    pair = np.concatenate([x, y], axis=1)
    gates = sigmoid(linear(pair, weights["gate.weight"], weights.get("gate.bias")))
    entering, kept = np.split(gates, 2, axis=1)
    return entering * x + kept * y, means
