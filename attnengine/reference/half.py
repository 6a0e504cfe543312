"""Keys and values in 16 bits, IEEE binary16."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats

LARGEST = 65504.0


def half(x: Floats) -> Floats:
    """Every number as float16 holds it, half to even, finite ones at most the largest.

    Attention over a cache in float16 is `scaled_dot_attention` over such keys and values.
    """
    limited = np.where(np.isinf(x), x, np.clip(x, -LARGEST, LARGEST))
    rounded: Floats = limited.astype(np.float16).astype(x.dtype)
    return rounded
