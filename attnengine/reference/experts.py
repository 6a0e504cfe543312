"""A mixture of experts: each row passes through a few of many feed-forward networks."""

from __future__ import annotations

import numpy as np

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats
from attnengine.reference.linear import linear
from attnengine.reference.softmax import softmax


def route(x: Floats, router: Floats, experts_per_token: int, *, normalise: bool = True) -> Floats:
    """Return the share of each expert in each row, (rows, experts); 0 for experts not chosen.

    x (rows, hidden), router (experts, hidden). Each row chooses its experts_per_token best experts;
    ties go to the first. With normalise the shares of a row sum to 1 (Jiang et al. 2024).
    """
    shares = softmax(linear(x, router))  # (rows, experts)
    left = np.argsort(-shares, axis=1, kind="stable")[:, experts_per_token:]
    np.put_along_axis(shares, left, 0.0, axis=1)
    return shares / shares.sum(axis=1, keepdims=True) if normalise else shares


def experts(
    x: Floats,
    router: Floats,
    gate_up: Floats,
    down: Floats,
    experts_per_token: int,
    activation: str = "silu",
    *,
    normalise: bool = True,
) -> Floats:
    """Return the sum of each row's experts, weighted by their shares: (rows, hidden).

    x (rows, hidden), router (experts, hidden), gate_up (experts, 2 * intermediate, hidden) with the
    gate's rows first, down (experts, hidden, intermediate).
    """
    shares = route(x, router, experts_per_token, normalise=normalise)
    y = np.zeros_like(x)
    for share, first, last in zip(shares.T, gate_up, down, strict=True):
        gate, up = np.split(linear(x, first), 2, axis=-1)
        y += share[:, None] * linear(ACTIVATIONS[activation](gate) * up, last)
    return y
