"""Weights as they lie in a file: element types, sizes, and their numbers as float32."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.damage import damage_named, short

Floats = NDArray[np.float32]
# How the floats of a file lie on disk; bfloat16 is the upper half of a float32.
RAW_DTYPES = {"float16": "<f2", "bfloat16": "<u2", "float32": "<f4", "float64": "<f8"}
MAX_RANK = 8


def num_bytes(shape: Sequence[int], itemsize: int, where: str) -> int:
    """Bytes of an array; `FormatError` unless NumPy can hold one of this shape."""
    if len(shape) > MAX_RANK or any(size < 0 for size in shape):
        raise FormatError(f"{where} has shape {short(shape)}, expected up to {MAX_RANK} sizes")
    # NumPy multiplies the other sizes of an array that is empty, and they may overflow.
    if math.prod(max(size, 1) for size in shape) * itemsize >= 1 << 62:
        raise FormatError(f"{where} has shape {short(shape)}, more than any memory holds")
    return math.prod(shape) * itemsize


def in_rows(read: Callable[[Any], Floats]) -> Callable[[int, int], Floats]:
    """What reads rows, of what reads any part of an array."""
    return lambda begin, end: read(slice(begin, end))


def float_tensor(
    name: str,
    dtype: str,
    shape: Sequence[int],
    raw: Callable[[], NDArray[Any]],
    path: Path,
    *,
    in_parts: bool = False,
) -> Tensor:
    """Return a weight that `raw` reads as it lies in the file, given out as float32.

    in_parts: `raw` is a view, of which parts can be read.
    """

    def read(part: Any = ...) -> NDArray[np.float32]:
        if dtype not in RAW_DTYPES:
            expected = ", ".join(RAW_DTYPES)
            raise Unsupported(f"{path}: {name} is {dtype}, expected one of {expected}")
        with damage_named(path), np.errstate(over="raise", invalid="ignore"):
            return to_float32(raw()[part], dtype)

    return Tensor(name, tuple(shape), dtype, read, in_rows(read) if in_parts else None)


def to_float32(raw: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    """Aligned, contiguous float32; a view when `raw` already is."""
    if dtype == "bfloat16":
        bits = raw.astype(np.uint32)
        bits <<= 16  # in place: a second copy would count for the largest weight
        raw = bits.view(np.float32)
    return np.require(raw, np.float32, ["C_CONTIGUOUS", "ALIGNED"])
