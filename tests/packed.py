"""How models are packed in tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core
from attnengine.reference.linear_int4 import quantise_int4
from attnengine.reference.quantisation import bfloat16, quantise


@contextmanager
def packed_in(precision: str, num_threads: int = 1) -> Iterator[None]:
    """Layers that are made meanwhile have this precision, unless they are told another."""
    _core.set_packing(num_threads, precision)
    try:
        yield
    finally:
        _core.set_packing()


def rounded(weight: ArrayLike, precision: str) -> NDArray[np.float32]:
    """The numbers that a weight (out, in) stands for, once it is stored in a precision."""
    values = np.asarray(weight, np.float32)
    if precision == "float32":
        return values
    if precision == "bfloat16":
        return bfloat16(values)
    if precision == "int4":
        integers, scales = quantise_int4(values)
        return integers * scales / np.float32(16)
    blocks, scales = quantise(values)  # (out, blocks, inputs), (out, blocks)
    return (blocks * scales[..., None]).reshape(len(values), -1)[:, : values.shape[1]]
