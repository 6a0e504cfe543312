"""The rounding of keys and values in caches of float16 and int8.

Attention over a cache is `scaled_dot_attention` over rounded keys and values.
"""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.quantisation import quantise

LARGEST = 65504.0


def half(x: Floats) -> Floats:
    """Round to float16, half to even; limit finite numbers to 65504."""
    limited = np.where(np.isinf(x), x, np.clip(x, -LARGEST, LARGEST))
    rounded: Floats = limited.astype(np.float16).astype(x.dtype)
    return rounded


def scaled_int8(x: Floats) -> Floats:
    """Round each vector (one head at one position) to int8 integers times a scale.

    x (..., head_dim); returns the same shape.
    """
    size = x.shape[-1]
    integers, scales = quantise(x.reshape(-1, size), block=size)
    kept: Floats = integers[:, 0].astype(x.dtype) * scales.astype(x.dtype)
    return kept.reshape(x.shape)


KEPT = {"float16": half, "int8": scaled_int8}
