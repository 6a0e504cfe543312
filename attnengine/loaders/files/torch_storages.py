"""PyTorch's storages, which are flat memory, and tensors, which are strided views of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.arrays import RAW_DTYPES, float_tensor, num_bytes
from attnengine.loaders.files.damage import short

STORAGES = {
    "torch.FloatStorage": "float32",
    "torch.DoubleStorage": "float64",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
}


@dataclass(eq=False)
class Storage:
    """A storage of `count` elements; `data` is set after the whole file has been read."""

    key: str
    dtype: str
    count: int
    data: memoryview | None = None

    @property
    def num_bytes(self) -> int:
        """Bytes of all elements."""
        return self.count * self.raw_dtype.itemsize

    @property
    def raw_dtype(self) -> np.dtype[Any]:
        """The type of an element in the file."""
        return np.dtype(RAW_DTYPES.get(self.dtype, self.dtype))


def strided_tensor(
    path: Path, storage: Storage, offset: object, shape: object, strides: object
) -> Tensor:
    """Return the tensor that views `storage`; raise `FormatError` if it exceeds the storage."""
    sizes, steps = _numbers(path, shape), _numbers(path, strides)
    start = offset if isinstance(offset, int) else -1
    num_bytes(sizes, storage.raw_dtype.itemsize, f"{path}: a tensor of storage {storage.key}")
    count = math.prod(sizes)
    last = [(size - 1) * step for size, step in zip(sizes, steps, strict=False)]
    reach = sum(last) + 1 if count else 0
    # A tensor with more elements than its storage repeats some; weights never do.
    if len(steps) != len(sizes) or start < 0 or start + max(reach, count) > storage.count:
        raise FormatError(
            f"{path}: a tensor of shape {sizes}, strides {short(steps)} and offset {start} does "
            f"not fit its storage {storage.key} of {storage.count} elements"
        )

    def raw() -> NDArray[Any]:
        if storage.data is None:
            raise FormatError(f"{path}: storage {storage.key} has no data")
        flat = np.frombuffer(storage.data, storage.raw_dtype)[start:]
        size = flat.itemsize
        return as_strided(flat, sizes, [step * size for step in steps], writeable=False)

    name = f"a tensor of storage {storage.key}"
    return float_tensor(name, storage.dtype, sizes, raw, path, in_parts=True)


def named_tensors(path: Path, table: object, prefix: str = "") -> dict[str, Tensor]:
    """Return the weights of a state dictionary; raise `FormatError` for other content."""
    if not isinstance(table, dict):
        raise FormatError(f"{path}: its weights are no table")
    named = {}
    for name, tensor in table.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise FormatError(f"{path}: {short(name)} is no weight")
        named[prefix + name] = replace(tensor, name=prefix + name)
    return named


def _numbers(path: Path, value: object) -> Sequence[int]:
    """Check sizes or strides, which must not be negative."""
    if not isinstance(value, tuple) or not all(isinstance(n, int) and n >= 0 for n in value):
        raise FormatError(f"{path}: a tensor has sizes or strides {short(value)}, expected numbers")
    return value
