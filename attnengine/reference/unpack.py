"""The weights of a linear layer after rounding to a precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from attnengine.reference.arrays import Floats
from attnengine.reference.linear_int4 import quantise_int4
from attnengine.reference.quantisation import bfloat16, quantise


def unpack(weight: Floats, precision: str) -> NDArray[np.float32]:
    """Round a weight (out, in) to a precision; return it in float32, (out, in)."""
    if precision == "bfloat16":
        return bfloat16(weight)
    if precision == "int8":
        values, scales = quantise(weight)  # (out, blocks, BLOCK), (out, blocks)
        rows = values.astype(np.float32) * scales[..., None]
        return rows.reshape(len(weight), -1)[:, : weight.shape[1]]
    if precision == "int4":
        integers, scales = quantise_int4(weight)
        kept: NDArray[np.float32] = integers.astype(np.float32) * (scales / np.float32(16))
        return kept
    return weight.astype(np.float32)
