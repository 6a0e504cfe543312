"""Weights in a file: element types, sizes, and conversion to float32."""

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
# type -> NumPy type on disk; bfloat16 is the upper half of a float32
RAW_DTYPES = {"float16": "<f2", "bfloat16": "<u2", "float32": "<f4", "float64": "<f8"}
MAX_RANK = 8


def num_bytes(shape: Sequence[int], itemsize: int, where: str) -> int:
    """Return the bytes of an array; raise `FormatError` if NumPy cannot hold its shape."""
    if len(shape) > MAX_RANK or any(size < 0 for size in shape):
        raise FormatError(f"{where} has shape {short(shape)}, expected up to {MAX_RANK} sizes")
    # For an empty array NumPy multiplies the other sizes, which may overflow.
    if math.prod(max(size, 1) for size in shape) * itemsize >= 1 << 62:
        raise FormatError(f"{where} has shape {short(shape)}, more than any memory holds")
    return math.prod(shape) * itemsize


def in_rows(read: Callable[[Any], Floats]) -> Callable[[int, int], Floats]:
    """Return a function that reads rows from one that reads any part of an array."""
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
    """Return a float32 weight; `raw` reads its numbers as they lie in the file.

    in_parts: `raw` returns a view, so that parts of it can be read alone.
    """

    def read(part: Any = ...) -> NDArray[np.float32]:
        if dtype not in RAW_DTYPES:
            expected = ", ".join(RAW_DTYPES)
            raise Unsupported(f"{path}: {name} is {dtype}, expected one of {expected}")
        with damage_named(path), np.errstate(over="raise", invalid="ignore"):
            return to_float32(raw()[part], dtype)

    return Tensor(name, tuple(shape), dtype, read, in_rows(read) if in_parts else None)


def to_float32(raw: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    """Return aligned, contiguous float32; a view if `raw` is that already."""
    if dtype == "bfloat16":
        bits = raw.astype(np.uint32)
        bits <<= 16  # in place, because a second copy of a large weight is expensive
        raw = bits.view(np.float32)
    return np.require(raw, np.float32, ["C_CONTIGUOUS", "ALIGNED"])
