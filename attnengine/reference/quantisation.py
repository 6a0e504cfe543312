"""Linear layers with fewer bits than float32.

bfloat16 rounds inputs and weights to 16 bits. int8 writes inputs and weights as integers with a
scale per block of inputs. All arithmetic rounds to float32, so that tests can compare the kernels
bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from attnengine.reference.arrays import Floats

BLOCK = 64  # inputs that share a scale
PASS = 512  # inputs in bfloat16 that have a partial sum of their own
LARGEST = np.float32(127)
TINY = np.float32(2.0**-100)  # a block counts as zero if all its magnitudes are smaller


def quantise(x: Floats, block: int = BLOCK) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Write numbers as ``values * scales``: round(x / scale), half to even, scale = max |x| / 127.

    x (rows, in). Returns values (rows, blocks, block), padded with zeros, and scales
    (rows, blocks). A block with a number that is not finite has the scale NaN.
    """
    rows, size = x.shape
    blocks = -(-size // block)
    padded = np.zeros((rows, blocks * block), np.float32)
    padded[:, :size] = x
    padded = padded.reshape(rows, blocks, block)
    largest = np.abs(padded).max(axis=2)  # (rows, blocks)
    finite, used = np.isfinite(largest), np.isfinite(largest) & (largest >= TINY)
    inverse = np.divide(LARGEST, largest, out=np.zeros_like(largest), where=used)
    values = np.rint(np.where(finite[..., None], padded, 0) * inverse[..., None])
    scales = np.where(used, largest / LARGEST, np.where(finite, 0, np.nan)).astype(np.float32)
    return values.astype(np.int8), scales


def linear_int8(
    x: Floats, weight: Floats, bias: Floats | None = None, add: Floats | None = None
) -> NDArray[np.float32]:
    """Return add + x @ weight.T + bias with x and weight in 8 bits; the sum of a block is exact.

    x (rows, in), weight (out, in), bias (out,) or None, add (rows, out) or None. Returns
    (rows, out).
    """
    inputs, input_scales = quantise(x)
    weights, weight_scales = quantise(weight)
    y = np.zeros((len(x), len(weight)), np.float32)
    for block in range(inputs.shape[1]):
        sums = inputs[:, block].astype(np.int32) @ weights[:, block].astype(np.int32).T
        scales = input_scales[:, block, None] * weight_scales[:, block]  # (rows, out)
        y = y + sums.astype(np.float32) * scales
    y = y if bias is None else y + np.float32(bias)
    return y if add is None else y + np.float32(add)


def linear_bfloat16(
    x: Floats, weight: Floats, bias: Floats | None = None, add: Floats | None = None
) -> NDArray[np.float32]:
    """Return add + x @ weight.T + bias with x and weight in 16 bits; products are exact.

    The shapes are those of `linear_int8`. Sums are in float32, with a partial sum per PASS inputs.
    The second of two adjacent inputs is added first, like the instruction VDPBF16PS (Intel's
    instruction manual). That instruction also treats numbers and sums below 2**-126 as zero.
    """
    inputs, weights = bfloat16(x), bfloat16(weight)
    y = np.zeros((len(x), len(weight)), np.float32) if add is None else np.float32(add)
    for first in range(0, max(x.shape[1], 1), PASS):
        sums = np.zeros(y.shape, np.float32)
        for k in range(first, min(first + PASS, x.shape[1]), 2):
            for i in (k + 1, k) if k + 1 < x.shape[1] else (k,):
                sums = sums + inputs[:, i, None] * weights[:, i]
        sums = sums if bias is None or first else sums + np.float32(bias)
        y = sums if add is None and not first else y + sums
    return y


def bfloat16(x: Floats) -> NDArray[np.float32]:
    """Round each number to bfloat16, half to even; too large numbers become infinite, NaN stays."""
    values = np.ascontiguousarray(x, np.float32)
    bits = values.view(np.uint32)
    rounded = (bits + (0x7FFF + (bits >> 16 & 1)).astype(np.uint32)) & np.uint32(0xFFFF0000)
    found: NDArray[np.float32] = np.where(
        np.isnan(values), np.float32(np.nan), rounded.view(np.float32)
    )
    return found
