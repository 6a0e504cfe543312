"""Keys and values in 16 bits, IEEE binary16."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats

LARGEST = 65504.0


def half(x: Floats) -> Floats:
    """Every number as float16 holds it, half to even and at most the largest; NaN stays NaN.

    Attention over a cache in float16 is `scaled_dot_attention` over such keys and values.
    """
    rounded: Floats = np.clip(x, -LARGEST, LARGEST).astype(np.float16).astype(x.dtype)
    return rounded
