"""Reads text attributes of HDF5 objects from the mapped file.

libhdf5 trusts the lengths in a damaged heap, which may be gigabytes or endless. So this module
reads object headers of version 1, which Keras writes; it finds no texts in others. Offsets and
lengths have 8 bytes (HDF5 File Format Specification 1.1, III.E, IV.A).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from attnengine.errors import FormatError
from attnengine.loaders.files.mapped import MappedFile
from attnengine.loaders.files.text import CONFIG_LIMIT

_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10  # message types
_STRING, _VARIABLE = 3, 9  # data classes
_VARIABLE_STRING = 1  # kind of a variable-length type: string
_MAX_BLOCKS = 64  # blocks of an object header
_HEAP_HEADER = _OBJECT_HEADER = 16  # bytes


def texts(file: MappedFile, address: int) -> dict[str, str]:
    """Return the scalar text attributes of the object with its header at `address`."""
    found = {}
    for kind, offset, size in _messages(file, address):
        if kind == _ATTRIBUTE:
            name, value = _attribute(file, offset, size)
            if value is not None:
                found[name] = value.rstrip(b"\0").decode("utf-8")
    return found


def _messages(file: MappedFile, address: int) -> Iterator[tuple[int, int, int]]:
    """Yield type, offset and size of every message of an object header."""
    version, size = struct.unpack("<B7xI4x", file.view(address, 16, "an object header"))
    if version != 1:
        return
    blocks = [(address + 16, size)]
    for number, (start, length) in enumerate(blocks):  # `blocks` grows in the loop
        if number == _MAX_BLOCKS:
            raise FormatError(f"{file.path}: the object header at {address} has no end")
        end = start + length
        file.view(start, length, "an object header")
        while start + 8 <= end:
            kind, size = struct.unpack("<HH4x", file.view(start, 8, "a message"))
            start += 8
            if start + size > end:
                raise FormatError(f"{file.path}: a message at {start} leaves its object header")
            if kind == _CONTINUATION:
                blocks.append(struct.unpack("<QQ", file.view(start, 16, "a continuation")))
            yield kind, start, size
            start += size


def _attribute(file: MappedFile, offset: int, size: int) -> tuple[str, bytes | None]:
    """Return the name of an attribute and its bytes, or None unless it is a single text."""
    data = bytes(file.view(offset, size, "an attribute"))
    version, *sizes = struct.unpack_from("<BxHHH", data)
    at, parts = 9 if version == 3 else 8, []
    for length in sizes:
        parts.append(data[at : at + length])
        at += length if version > 1 else (length + 7) // 8 * 8  # version 1 pads to 8 bytes
    name, datatype, space = parts
    text = name.rstrip(b"\0").decode("utf-8")
    kind = datatype[0] & 15
    is_scalar = space[1] == 0  # number of dimensions
    if is_scalar and kind == _STRING:
        return text, data[at:]
    if is_scalar and kind == _VARIABLE and datatype[1] & 15 == _VARIABLE_STRING:
        return text, _heap_object(file, *struct.unpack_from("<IQI", data, at))
    return text, None


def _heap_object(file: MappedFile, length: int, address: int, index: int) -> bytes:
    """Return the object with this index in a global heap."""
    if length > CONFIG_LIMIT:
        raise FormatError(f"{file.path}: a text has {length} bytes, expected up to {CONFIG_LIMIT}")
    signature, size = struct.unpack("<4s4xQ", file.view(address, _HEAP_HEADER, "a heap"))
    if signature != b"GCOL":
        raise FormatError(f"{file.path}: no heap begins at {address}")
    at, end = address + _HEAP_HEADER, address + size
    while at + _OBJECT_HEADER <= end:
        found, stored = struct.unpack("<H6xQ", file.view(at, _OBJECT_HEADER, "a heap object"))
        if found == index and length <= stored:
            return bytes(file.view(at + _OBJECT_HEADER, length, "a text"))
        if found == 0:  # free space up to the end
            break
        at += _OBJECT_HEADER + (stored + 7) // 8 * 8
    raise FormatError(f"{file.path}: the heap at {address} has no text {index} of {length} bytes")
