"""Normalisation of rows."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats


def layer_norm(x: Floats, weight: Floats, bias: Floats | None, eps: float) -> Floats:
    """Each row with mean 0 and variance 1, then scaled and shifted (Ba et al. 2016).

    x (rows, size), weight (size,), bias (size,) or None. Returns (rows, size).
    Heads with weights of their own: x (rows, heads, size), weight (heads, size).
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    y: Floats = centred / np.sqrt(variance + eps) * weight
    return y if bias is None else y + bias


def rms_norm(x: Floats, weight: Floats, eps: float) -> Floats:
    """Each row with a mean square of 1, then scaled (Zhang and Sennrich 2019).

    x (rows, size), weight (size,). Returns (rows, size).
    """
    mean_square = np.square(x).mean(axis=-1, keepdims=True)
    y: Floats = x / np.sqrt(mean_square + eps) * weight
    return y
