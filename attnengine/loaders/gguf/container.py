"""Reads the container of a GGUF file, versions 2 and 3: metadata and places of tensors.

ggml's docs/gguf.md describes it. Numeric arrays stay in the file until they are used.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.arrays import num_bytes
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.mapped import MappedFile
from attnengine.loaders.gguf import MAGIC
from attnengine.loaders.gguf.blocks import FORMATS

_VERSIONS = (2, 3)
_MAX_DIMS = 4
_ALIGNMENT = "general.alignment"
_MAX_ALIGNMENT = 1 << 20
_STRING, _ARRAY = 8, 9
# type of a value -> its type in the file, for NumPy and for struct
_NUMBERS = {
    **{0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i"},
    **{6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"},
}
_LENGTH = struct.Struct("<Q")
_FLOATS = {0: "float32", 1: "float16", 30: "bfloat16"}
_BLOCKS = {
    **{2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0"},
    **{12: "Q4_K", 13: "Q5_K", 14: "Q6_K"},
}
# names of other types, for error messages
_OTHERS = {
    **{9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS"},
    **{18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS"},
    **{24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M"},
    **{34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4"},
}

Value = str | int | float | bool | list[str] | NDArray[Any]


@dataclass(frozen=True)
class Container:
    """The content of a file with GGUF's names; shapes have the fastest axis last."""

    path: Path
    metadata: dict[str, Value]
    tensors: dict[str, Tensor]


@dataclass(frozen=True)
class _Entry:
    """A tensor's entry in the header; its offset counts from the end of the header."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


def read(path: Path) -> Container:
    """Read metadata and places of tensors; raise `Unsupported` for other versions or types."""
    file = MappedFile(path)
    with damage_named(path):
        return _Walk(file).container()


class _Walk:
    def __init__(self, file: MappedFile) -> None:
        self.file = file
        self.path = file.path
        self.data = file.view(0, file.size, "the file")
        self.position = 0

    def container(self) -> Container:
        self.head()
        num_tensors = self.count("the number of tensors", 24)  # a name's length, type, offset, ...
        num_values = self.count("the number of metadata values", 13)
        metadata: dict[str, Value] = {}
        for _ in range(num_values):
            key = self.string("a metadata key")
            if key in metadata:
                raise FormatError(f"{self.path}: metadata {key!r:.200} stands twice")
            metadata[key] = self.value(key)
        entries = [self.entry() for _ in range(num_tensors)]
        return Container(self.path, metadata, self.placed(entries, self.alignment(metadata)))

    def head(self) -> None:
        magic = bytes(self.take(4, "the magic number"))
        if magic != MAGIC:
            raise FormatError(f"{self.path} starts with {magic!r}, expected {MAGIC!r}")
        version = self.number("<I", "the version")
        if version and not version & 0xFFFF:
            raise Unsupported(f"{self.path}: a big-endian file, expected little-endian")
        if version not in _VERSIONS:
            raise Unsupported(f"{self.path}: GGUF version {version}, expected one of {_VERSIONS}")

    def value(self, key: str) -> Value:
        kind = self.number("<I", f"the type of {key}")
        if kind == _STRING:
            return self.string(key)
        if kind == _ARRAY:
            return self.array(key)
        if kind not in _NUMBERS:
            raise FormatError(f"{self.path}: {key!r:.200} has type {kind}, unknown in GGUF")
        number: int | float | bool = self.number(_NUMBERS[kind], key)
        return number

    def array(self, key: str) -> list[str] | NDArray[Any]:
        kind = self.number("<I", f"the type of {key}")
        if kind == _STRING:
            length = self.count(f"the length of {key}", 8)
            return [self.string(key) for _ in range(length)]
        if kind == _ARRAY:
            raise Unsupported(f"{self.path}: {key!r:.200} is an array of arrays, expected values")
        if kind not in _NUMBERS:
            raise FormatError(f"{self.path}: {key!r:.200} is of type {kind}, unknown in GGUF")
        dtype = np.dtype(_NUMBERS[kind])
        length = self.count(f"the length of {key}", dtype.itemsize)
        return np.frombuffer(self.take(length * dtype.itemsize, key), dtype)

    def entry(self) -> _Entry:
        name = self.string("the name of a tensor")
        num_dims = self.number("<I", f"the number of sizes of {name}")
        if num_dims > _MAX_DIMS:
            raise FormatError(
                f"{self.path}: {name!r:.200} has {num_dims} sizes, expected up to {_MAX_DIMS}"
            )
        sizes = [self.number("<Q", f"a size of {name}") for _ in range(num_dims)]
        kind = self.number("<I", f"the type of {name}")
        return _Entry(name, tuple(sizes[::-1]), kind, self.number("<Q", f"the place of {name}"))

    def alignment(self, metadata: dict[str, Value]) -> int:
        value = metadata.get(_ALIGNMENT, 32)
        if isinstance(value, int) and 8 <= value <= _MAX_ALIGNMENT and not value & (value - 1):
            return value
        raise FormatError(
            f"{self.path}: {_ALIGNMENT} is {value!r:.200}, expected a power of two from 8"
        )

    def placed(self, entries: list[_Entry], alignment: int) -> dict[str, Tensor]:
        """Return tensors by name, after a check that none of them overlap."""
        start = -(-self.position // alignment) * alignment
        tensors: dict[str, Tensor] = {}
        end, before = 0, "the header"
        for entry in sorted(entries, key=lambda entry: entry.offset):
            if entry.name in tensors:
                raise FormatError(f"{self.path}: the tensor {entry.name!r:.200} stands twice")
            if entry.offset % alignment or entry.offset < end:
                raise FormatError(
                    f"{self.path}: {entry.name!r:.200} is at offset {entry.offset}, expected a "
                    f"multiple of {alignment} after {before!r:.200}, which ends at {end}"
                )
            tensors[entry.name], size = self.tensor(entry, start + entry.offset)
            end, before = entry.offset + size, entry.name
        return {entry.name: tensors[entry.name] for entry in entries}

    def tensor(self, entry: _Entry, place: int) -> tuple[Tensor, int]:
        """Return a tensor that is read on demand, and its size in bytes."""
        where = f"{self.path}: {entry.name!r:.200}"
        if entry.kind in _FLOATS:
            tensor = self.file.array(entry.name, _FLOATS[entry.kind], entry.shape, place)
            return tensor, math.prod(entry.shape) * (4 if entry.kind == 0 else 2)
        if entry.kind not in _BLOCKS:
            expected = ", ".join(("F32", "F16", "BF16", *_BLOCKS.values()))
            found = _OTHERS.get(entry.kind, f"of type {entry.kind}")
            raise Unsupported(f"{where} is {found}, expected one of {expected}")
        name = _BLOCKS[entry.kind]
        blocks = FORMATS[name]
        if not entry.shape or entry.shape[-1] % blocks.weights:
            raise FormatError(
                f"{where} is {name} of shape {entry.shape}, expected rows of a multiple of "
                f"{blocks.weights}"
            )
        num_bytes(entry.shape, 4, where)  # unpacked size
        size = math.prod(entry.shape) // blocks.weights * blocks.layout.itemsize
        self.file.view(place, size, entry.name)

        def read() -> NDArray[np.float32]:
            return blocks.read(self.file.view(place, size, entry.name), entry.shape)

        def rows(begin: int, end: int) -> NDArray[np.float32]:
            row = size // entry.shape[0]  # bytes
            data = self.file.view(place + begin * row, (end - begin) * row, entry.name)
            return blocks.read(data, (end - begin, *entry.shape[1:]))

        several = len(entry.shape) > 1 and entry.shape[0] > 0
        return Tensor(entry.name, entry.shape, name, read, rows if several else None), size

    def count(self, what: str, least: int) -> int:
        """Read a count of items; each item takes at least `least` bytes of the rest of the file."""
        number = self.number("<Q", what)
        if number > (self.file.size - self.position) // least:
            raise FormatError(
                f"{self.path}: {what} is {number}, more than a file of {self.file.size} bytes holds"
            )
        return int(number)

    def number(self, kind: str, what: str) -> Any:
        (value,) = struct.unpack(kind, self.take(struct.calcsize(kind), what))
        return value

    def string(self, what: str) -> str:
        """Read a UTF-8 text after its length; kept fast, because files have 100,000s of texts."""
        (length,) = _LENGTH.unpack_from(self.data, self.position)
        start = self.position + _LENGTH.size
        if length > self.file.size - start:
            raise FormatError(
                f"{self.path}: {what:.200} has {length} bytes, more than the file holds"
            )
        self.position = start + length
        return str(self.data[start : self.position], "utf-8")

    def take(self, length: int, what: str) -> memoryview:
        view = self.file.view(self.position, length, what[:200])
        self.position += length
        return view
