"""Files mapped for reading, with checked bounds."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.arrays import RAW_DTYPES, float_tensor, num_bytes
from attnengine.loaders.files.damage import damage_named

_LARGE = 1 << 16  # bytes; pages of smaller views are not released


class MappedFile:
    """A file mapped for reading; no access goes beyond its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise FormatError(f"{path} is missing or not a file")
        with damage_named(path), path.open("rb") as file:
            if path.stat().st_size == 0:
                raise FormatError(f"{path} is empty")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.size = len(self._map)
        self._seen = 0, 0  # offset and bytes of the last view

    def view(self, offset: int, length: int, what: str) -> memoryview:
        """Return a view of bytes; `what` names them in errors."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise FormatError(
                f"{self.path}: {what} is {length} bytes at offset {offset}, "
                f"but the file has {self.size} bytes"
            )
        self._give_back()
        self._seen = offset, length
        return memoryview(self._map)[offset : offset + length]

    def _give_back(self) -> None:
        """Release the pages of the previous view, because weights are read once, in order.

        A view that is still in use gets them again from the page cache.
        """
        offset, length = self._seen
        if length >= _LARGE and hasattr(self._map, "madvise"):
            begin = offset // mmap.PAGESIZE * mmap.PAGESIZE
            with contextlib.suppress(OSError):  # locked pages stay
                self._map.madvise(mmap.MADV_DONTNEED, begin, offset + length - begin)

    def stream(self) -> IO[bytes]:
        """Return a stream from the start of the file, for parsers of streams.

        A read from the map returns at most the bytes that exist. A file object would first
        allocate the length that a damaged file claims.
        """
        self._map.seek(0)
        return cast(IO[bytes], self._map)

    def array(self, name: str, dtype: str, shape: Sequence[int], offset: int) -> Tensor:
        """Return the little-endian row-major weight at `offset`, read on demand."""
        raw_dtype = np.dtype(RAW_DTYPES.get(dtype, "u1"))  # a read refuses other types
        length = num_bytes(shape, raw_dtype.itemsize, f"{self.path}: {name}")
        self.view(offset, length, name)

        def raw() -> NDArray[Any]:
            return np.frombuffer(self.view(offset, length, name), raw_dtype).reshape(shape)

        return float_tensor(name, dtype, shape, raw, self.path, in_parts=True)
