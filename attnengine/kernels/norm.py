"""Normalisation of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core

Floats = NDArray[np.float32]


def layer_norm(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    num_threads: int = 1,
) -> Floats:
    """Each row with mean 0 and variance 1, then scaled and shifted (Ba et al. 2016).

    x (rows, size), weight (size,), bias (size,) or None. Returns (rows, size).
    """
    return _core.layer_norm(x, weight, bias, eps, num_threads)


def rms_norm(x: ArrayLike, weight: ArrayLike, eps: float = 1e-5, *, num_threads: int = 1) -> Floats:
    """Each row over the root of its mean square, then scaled (Zhang and Sennrich 2019).

    x (rows, size), weight (size,). Returns (rows, size).
    """
    return _core.rms_norm(x, weight, eps, num_threads)
