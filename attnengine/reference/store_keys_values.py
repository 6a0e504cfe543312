"""Keys and values as caches keep them.

Attention over a cache is `scaled_dot_attention` over such keys and values.
"""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.quantisation import quantise

LARGEST = 65504.0


def half(x: Floats) -> Floats:
    """Every number as float16 holds it, half to even, finite ones at most the largest."""
    limited = np.where(np.isinf(x), x, np.clip(x, -LARGEST, LARGEST))
    rounded: Floats = limited.astype(np.float16).astype(x.dtype)
    return rounded


def scaled_int8(x: Floats) -> Floats:
    """Every vector, those of one head at one position, as integers times its scale.

    x (..., head_dim).
    """
    size = x.shape[-1]
    integers, scales = quantise(x.reshape(-1, size), block=size)
    kept: Floats = integers[:, 0].astype(x.dtype) * scales.astype(x.dtype)
    return kept.reshape(x.shape)


KEPT = {"float16": half, "int8": scaled_int8}
