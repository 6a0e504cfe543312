"""Reads arrays in NumPy's .npz archives.

A pattern parses the arrays' headers; nothing is evaluated or unpickled. An archive with objects is
refused.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.archive import Member, members
from attnengine.loaders.files.arrays import float_tensor, num_bytes
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.text import CONFIG_LIMIT

_MAGIC = b"\x93NUMPY"
_HEADER_LIMIT = 10_000  # bytes; NumPy's own limit
_ITEM = r"'(?:descr|fortran_order|shape)': *(?:'[^']*'|True|False|\([0-9, ]*\))"
_HEADER = re.compile(rf"\{{(?:{_ITEM},? *){{3}}\}} *\n?")
_DTYPE = re.compile(r"'descr': *'([<>|=][fiub][1248])'")
_SHAPE = re.compile(r"'shape': *\(([0-9, ]*)\)")
_ORDER = re.compile(r"'fortran_order': *(True|False)")


def tensors(path: Path) -> dict[str, Tensor]:
    """Return the arrays of an archive by name, read on demand."""
    found = {}
    for name, member in members(path).items():
        if not name.endswith(".npy"):
            raise FormatError(f"{path}: {name!r:.200} is no array, its name should end in .npy")
        found[name.removesuffix(".npy")] = _tensor(member, name.removesuffix(".npy"))
    return found


def text(path: Path, name: str) -> str:
    """Return the text in an array of bytes that ends with a zero byte."""
    raw = _Array(members(path)[f"{name}.npy"], name)
    if raw.dtype.itemsize != 1 or raw.member.size > CONFIG_LIMIT:
        raise FormatError(
            f"{path}: {name} is {raw.dtype} of {raw.member.size} bytes, expected text"
        )
    with damage_named(path):
        return raw.read().tobytes().rstrip(b"\0").decode("utf-8")


class _Array:
    """An array of an archive; its header is checked against its bytes."""

    def __init__(self, member: Member, name: str) -> None:
        self.member = member
        path = member.file.path
        header, self.offset = _header(member)
        dtype_match, shape_match = _DTYPE.search(header), _SHAPE.search(header)
        order_match = _ORDER.search(header)
        if not (_HEADER.fullmatch(header) and dtype_match and shape_match and order_match):
            raise FormatError(f"{path}: the header of {name} is {header!r:.200}")
        self.dtype = np.dtype(dtype_match[1])
        self.shape = [int(size) for size in shape_match[1].split(",") if size.strip()]
        self.order = "F" if order_match[1] == "True" else "C"
        declared = num_bytes(self.shape, self.dtype.itemsize, f"{path}: {name}")
        if self.offset + declared != member.size:
            raise FormatError(
                f"{path}: {name} has shape {tuple(self.shape)} of {self.dtype}, "
                f"{declared} bytes, but {member.size - self.offset} bytes of data"
            )

    def read(self) -> NDArray[Any]:
        data = self.member.verified()[self.offset :]
        return np.frombuffer(data, self.dtype).reshape(self.shape, order=self.order)  # type: ignore[call-overload, no-any-return]


def _tensor(member: Member, name: str) -> Tensor:
    array = _Array(member, name)
    return float_tensor(name, array.dtype.name, array.shape, array.read, member.file.path)


def _header(member: Member) -> tuple[str, int]:
    """Return the text of an array's header and the offset of its data."""
    head = bytes(member.read(_HEADER_LIMIT))
    version = tuple(head[6:8])
    if not head.startswith(_MAGIC) or version not in ((1, 0), (2, 0), (3, 0)):
        raise FormatError(f"{member.file.path}: {member.name} starts with {head[:8]!r}, no .npy")
    size_format = "<H" if version == (1, 0) else "<I"
    start = 8 + struct.calcsize(size_format)
    if len(head) < start:
        raise FormatError(f"{member.file.path}: {member.name} ends in its header")
    (size,) = struct.unpack_from(size_format, head, 8)
    if start + size > len(head):
        raise FormatError(
            f"{member.file.path}: the header of {member.name} is {size} bytes, expected up to "
            f"{_HEADER_LIMIT} within the {member.size} of the member"
        )
    return head[start : start + size].decode("latin-1"), start + size
