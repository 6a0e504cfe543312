"""Rotary position embedding."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core

Floats = NDArray[np.float32]


def rotary(
    x: ArrayLike,
    positions: ArrayLike,
    frequencies: ArrayLike,
    factor: float = 1.0,
    *,
    dynamic: tuple[float, float, int] | None = None,
    num_threads: int = 1,
) -> Floats:
    """Rotary position embedding (Su et al. 2021) of half-split pairs.

    x (rows, heads, head_dim), positions (rows,), frequencies (half,) in radians a position,
    half at most head_dim / 2: element i of a head turns with element i + half, what is beyond
    2 * half stays. factor multiplies what is turned. Returns (rows, heads, head_dim).

    dynamic is the (base, factor, trained) of NTK-aware scaling: each position from ``trained`` on
    has the frequencies of a text that ends there. None: all positions have ``frequencies``.
    """
    return _core.rotary(x, positions, frequencies, factor, dynamic, num_threads)
