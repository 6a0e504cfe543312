"""Weights in safetensors files, mapped from disk and read on demand."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.mapped import MappedFile

_HEADER_LIMIT = 100_000_000  # bytes, by the format's definition
_END = 4096  # bytes at each end of a weight in its checksum
_FLOATS = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


def read(path: Path) -> dict[str, Tensor]:
    """Return the weights of one file by name.

    The safetensors library checks the header. Raises `FormatError` for duplicate names, sizes that
    overflow, overlaps, holes, and bytes that are missing or left over. This module reads the
    weights, because NumPy has no bfloat16.
    """
    file, header = _open(path)
    try:
        with safe_open(path, framework="np"):
            pass
    except SafetensorError as error:
        raise FormatError(f"{path}: {error}") from error
    with damage_named(path):
        start, entries = 8 + len(header), _entries(header)
        return {name: _tensor(file, start, name, entry) for name, entry in entries.items()}


def checksum(path: Path, crc: int) -> int:
    """Return the CRC-32 of the header and of both ends of every weight, continued from ``crc``."""
    file, header = _open(path)
    crc = zlib.crc32(header, crc)
    for entry in _entries(header).values():
        begin, end = (8 + len(header) + offset for offset in entry["data_offsets"])
        middle = max(begin, end - _END)
        for first, last in ((begin, min(begin + _END, end)), (middle, end)):
            crc = zlib.crc32(file.view(first, last - first, "a weight"), crc)
    return crc


def _open(path: Path) -> tuple[MappedFile, memoryview]:
    """Map a file; return it and its header."""
    file = MappedFile(path)
    (size,) = struct.unpack("<Q", file.view(0, 8, "the header's size"))
    if size > _HEADER_LIMIT:
        raise FormatError(f"{path}: the header is {size} bytes, more than {_HEADER_LIMIT}")
    return file, file.view(8, size, "the header")


def _entries(header: memoryview) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(bytes(header))
    entries.pop("__metadata__", None)
    return entries


def _tensor(file: MappedFile, start: int, name: str, entry: dict[str, Any]) -> Tensor:
    dtype = _FLOATS.get(entry["dtype"], entry["dtype"])
    return file.array(name, dtype, entry["shape"], start + entry["data_offsets"][0])


def write(path: Path, tensors: Mapping[str, NDArray[np.floating]]) -> None:
    """Write float16 and float32 weights to one file."""
    save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, path)
