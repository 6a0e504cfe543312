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
    num_threads: int = 1,
) -> Floats:
    """Rotary position embedding (Su et al. 2021) of half-split pairs.

    x (rows, heads, head_dim), positions (rows,), frequencies (half,) in radians a position,
    half at most head_dim / 2: element i of a head turns with element i + half, what is beyond
    2 * half stays. factor multiplies what is turned. Returns (rows, heads, head_dim).
    """
    return _core.rotary(x, positions, frequencies, factor, num_threads)
