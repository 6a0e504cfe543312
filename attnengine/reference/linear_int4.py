"""Linear layers with weights of 4 bits and inputs of 8 bits.

All arithmetic rounds to float32, so that tests can compare the kernel bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from attnengine.reference.arrays import Floats
from attnengine.reference.quantisation import BLOCK, TINY, quantise

Floats32 = NDArray[np.float32]
Fit = tuple[Floats32, Floats32, Floats32]  # step, low, gain

HALF = BLOCK // 2  # inputs that share a step and a zero
# Factors by which the first steps tried are finer than (largest - smallest) / 15.
TRIED = np.arange(14, 19.5, 0.5, dtype=np.float32) / np.float32(15)
REFINED = 2  # number of refits of the best fit


def quantise_int4(weight: Floats) -> tuple[NDArray[np.int32], Floats32]:
    """Write a weight as ``integers * scales / 16``: step * (16 * q - zero), q from 0 to 15.

    Each half block of inputs has a step, 1 to 255, and a zero, 0 to 255. A search minimises the sum
    of squared errors. weight (out, in); returns integers (out, in) and scales (out, 1). The scale
    of an output is NaN if one of its weights is not finite.
    """
    size_out, size_in = weight.shape
    values = np.asarray(weight, np.float32)
    finite = np.isfinite(values).all(axis=1, keepdims=True)
    values = np.where(finite, values, np.float32(0))
    halves = [values[:, first : first + HALF] for first in range(0, size_in, HALF)]
    found = [_search(half) for half in halves]
    largest = np.max([size for size, _ in found], axis=0, initial=0)
    scales = np.broadcast_to(largest, (size_out, 1)) / np.float32(255)
    integers = np.zeros((size_out, size_in), np.int32)
    for i, (half, (size, zero)) in enumerate(zip(halves, found, strict=True)):
        step = np.rint(np.clip(size * _inverse(scales), 0, 255))
        step = np.where(size > 0, np.maximum(step, np.float32(1)), step)
        q = np.rint(np.clip(half * _inverse(step * scales) + zero / 16, 0, 15))
        integers[:, i * HALF : (i + 1) * HALF] = step * (16 * q - zero)
    return integers, np.where(finite, scales, np.float32(np.nan))


def linear_int4(
    x: Floats, weight: Floats, bias: Floats | None = None, add: Floats | None = None
) -> Floats32:
    """Compute add + x @ weight.T + bias; the sum over a block is exact.

    x (rows, in), weight (out, in), bias (out,) or None, add (rows, out) or None. Returns
    (rows, out).
    """
    inputs, input_scales = quantise(x)
    integers, scales = quantise_int4(weight)
    y: Floats32 = np.zeros((len(x), len(weight)), np.float32)
    for block in range(inputs.shape[1]):
        weights = integers[:, block * BLOCK : (block + 1) * BLOCK]
        sums = inputs[:, block, : weights.shape[1]].astype(np.int32) @ weights.T
        y = y + sums.astype(np.float32) * input_scales[:, block, None]
    y *= (scales / 16).T
    y = y if bias is None else y + np.float32(bias)
    return y if add is None else y + np.float32(add)


def _inverse(x: Floats32) -> Floats32:
    """Return 1 / x, but 0 where x is 0."""
    inverse: Floats32 = np.divide(np.float32(1), x, out=np.zeros_like(x), where=x > 0)
    return inverse


def _search(half: Floats32) -> tuple[Floats32, Floats32]:
    """Search for the size of a step and for the zero in sixteenths of a step.

    half (out, inputs); returns two arrays (out, 1).
    """
    low = np.minimum(half.min(axis=1, keepdims=True), 0)
    high = np.maximum(half.max(axis=1, keepdims=True), 0)
    unit = high / np.float32(15) - low / np.float32(15)
    unit = np.where(unit >= TINY, unit, np.float32(0))
    half, low = half * _inverse(unit), low * _inverse(unit)
    best: Fit = np.ones_like(low), low, np.full_like(low, -np.inf)
    for finer in TRIED:
        best = _better(half, low, np.full_like(low, finer), best)
    for _ in range(REFINED):
        best = _better(half, best[1], np.float32(1) / best[0], best)
    zero = np.rint(np.clip(-16 * best[1] / best[0], 0, 255))
    return best[0] * unit, zero


def _better(half: Floats32, low: Floats32, factor: Floats32, best: Fit) -> Fit:
    """Return the better of ``best`` and step * q + low with q = round((half - low) * factor).

    A fit is (step, low, gain); a larger gain means a smaller squared error.
    """
    q = np.rint(np.clip((half - low) * factor, 0, 15))
    count = np.float32(half.shape[1])
    values, levels, squares, products = (_sum(terms) for terms in (half, q, q * q, q * half))
    determinant = count * squares - levels * levels
    with np.errstate(divide="ignore", invalid="ignore"):
        step = (count * products - levels * values) / determinant
        low = (squares * values - levels * products) / determinant
        step = np.where(low > 0, products / squares, step)
        low = np.where(low > 0, np.float32(0), low)
        gain = step * products + low * values
    better = (determinant > 0) & (step > 0) & (gain > best[2])
    first, second, third = best
    return (
        np.where(better, step, first),
        np.where(better, low, second),
        np.where(better, gain, third),
    )


def _sum(terms: Floats32) -> Floats32:
    """Sum each row in order: (rows, 1)."""
    return np.cumsum(terms, axis=1, dtype=np.float32)[:, -1:]
