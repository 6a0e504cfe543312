"""The format of packed models: a preamble, arrays at multiples of 64 bytes, a JSON header."""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import Error, FormatError

Array = NDArray[np.float32] | NDArray[np.uint8]

VERSION = 5
# The order of numbers in the packed weights of each precision, as csrc/kernels/linear*.cc packs.
LAYOUTS = {
    "float32": "panels of 16",
    "bfloat16": "panels of 16, twos",
    "int8": "panels of 16, blocks of 64, fours, float32 scales",
    "int4": "panels of 16, blocks of 64, eights, 8-bit steps and zeros, float32 scales",
}

_PREAMBLE = struct.Struct("<8sI8sQQI")  # magic, version, byte order, header: offset, bytes, crc32
_MAGIC = b"attnpack"
_ORDER = sys.byteorder.encode().ljust(8)
_ALIGNMENT = 64
_HEADER_LIMIT = 1 << 28  # bytes


class MismatchError(Error):
    """A packed model is intact but belongs to another source, version or machine."""


class Writer:
    """Writes the arrays in sequence, then the header and the preamble."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(bytes(_PREAMBLE.size))

    def array(self, values: Array) -> list[Any]:
        """Append an array; return its offset, shape and dtype for the header."""
        offset = self._align()
        self._file.write(values.data)
        return [offset, list(values.shape), values.dtype.name]

    def finish(self, header: dict[str, Any]) -> None:
        """Write the header and close the file."""
        text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
        offset = self._align()
        self._file.write(text)
        self._file.seek(0)
        crc = zlib.crc32(text)
        self._file.write(_PREAMBLE.pack(_MAGIC, VERSION, _ORDER, offset, len(text), crc))
        self.close()

    def close(self) -> None:
        """Close the file without a header."""
        self._file.close()

    def _align(self) -> int:
        offset = -(-self._file.tell() // _ALIGNMENT) * _ALIGNMENT
        self._file.seek(offset)
        return offset


class Reader:
    """Maps a file and checks ``header`` and the bounds of arrays, but not the arrays' values.

    Raises FormatError for a damaged file and MismatchError for another version or byte order.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _PREAMBLE.size:
                raise FormatError(
                    f"{path} has {size} bytes, expected a preamble of {_PREAMBLE.size} bytes"
                )
            self._bytes = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        self.header = self._header()

    def array(self, place: Any) -> Array:
        """Return the array at ``place`` (offset, shape, dtype) as a view of the mapped file.

        Raises FormatError for an invalid place.
        """
        offset, shape, name = place
        if name not in ("float32", "uint8"):
            raise FormatError(
                f"{self.path}: an array has dtype {name!r:.80}, expected float32 or uint8"
            )
        dtype = np.dtype(name)
        sizes = [offset, *shape]
        if not all(type(number) is int and number >= 0 for number in sizes) or len(shape) > 4:
            raise FormatError(
                f"{self.path}: an array is at {place!r:.80}, expected an offset and a shape of at"
                " most 4 sizes"
            )
        count = 1
        for number in shape:
            count *= number
        if offset % _ALIGNMENT or offset + dtype.itemsize * count > len(self._bytes):
            raise FormatError(
                f"{self.path}: an array has {count} numbers at offset {offset}, expected a multiple"
                f" of {_ALIGNMENT} within the file's {len(self._bytes)} bytes"
            )
        values: Array = np.frombuffer(self._bytes, dtype, count, offset).reshape(shape)
        return values

    def _header(self) -> dict[str, Any]:
        preamble = _PREAMBLE.unpack_from(self._bytes)
        magic, version, order, offset, size, crc = preamble
        if magic != _MAGIC:
            raise FormatError(f"{self.path} begins with {magic!r}, expected {_MAGIC!r}")
        if (version, order) != (VERSION, _ORDER):
            raise MismatchError(
                f"the format has version {version} and byte order {order!r}, expected {VERSION} and"
                f" {_ORDER!r}"
            )
        text = bytes(self._bytes[offset : offset + size]) if size <= _HEADER_LIMIT else b""
        if len(text) != size or zlib.crc32(text) != crc:
            raise FormatError(
                f"{self.path}: the header is damaged, its length or checksum is wrong: convert the"
                " model again"
            )
        try:
            header = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{self.path}: the header is not valid JSON: {error}") from error
        if not isinstance(header, dict):
            raise FormatError(
                f"{self.path}: the header is a {type(header).__name__}, expected a JSON object"
            )
        return header
