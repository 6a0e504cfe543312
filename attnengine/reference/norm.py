"""Normalisation of rows."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats


def layer_norm(x: Floats, weight: Floats, bias: Floats | None, eps: float) -> Floats:
    """Normalise each row to mean 0 and variance 1, then scale and shift it (Ba et al. 2016).

    x (rows, size), weight (size,), bias (size,) or None. Returns (rows, size).
    For weights per head: x (rows, heads, size), weight (heads, size).
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    y: Floats = centred / np.sqrt(variance + eps) * weight
    return y if bias is None else y + bias


def rms_norm(x: Floats, weight: Floats, eps: float) -> Floats:
    """Normalise each row to mean square 1, then scale it (Zhang and Sennrich 2019).

    x (rows, size), weight (size,). Returns (rows, size).
    """
    mean_square = np.square(x).mean(axis=-1, keepdims=True)
    y: Floats = x / np.sqrt(mean_square + eps) * weight
    return y
