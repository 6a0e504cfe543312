"""Reads CTranslate2's model.bin: variables of every binary version, quantised or not.

The layout is little-endian:

    u32 version | from version 2 on: string spec | u32 revision
    u32 count; count x { string name | u8 rank | u32 size[rank] | type and length | data }
        type and length: u8 item size | u32 items; from version 4 on: u8 type | u32 bytes
    from version 3 on: u32 count; count x { string alias | string name }
    string = u16 length with the closing zero byte | bytes
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files.arrays import MAX_RANK, RAW_DTYPES, in_rows, num_bytes
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.mapped import MappedFile

_NEWEST_VERSION = 6
_TYPES = ("float32", "int8", "int16", "int32", "float16", "bfloat16")
_TYPES_BY_ITEM_SIZE = {4: "float32", 2: "int16", 1: "int8"}  # before version 4
_INTEGERS = {"int8": "<i1", "int16": "<i2", "int32": "<i4"}
_NUMBERS = {"float32": "<f", "float16": "<e", "int8": "<b", "int16": "<h", "int32": "<i"}
_INT16_SCALE = 1000.0  # for files without a scale
_TEXT_LIMIT = 1 << 10


@dataclass(frozen=True)
class Model:
    """The content of model.bin: weights as floats, and settings (scalars and texts)."""

    path: Path
    version: int
    spec: str
    revision: int
    tensors: Mapping[str, Tensor]  # all aliases of a weight have the same object
    settings: Mapping[str, float | str]

    @classmethod
    def read(cls, path: Path) -> Model:
        """Read the structure of a file; weights are read on demand."""
        file = MappedFile(path)
        with damage_named(path):
            return _Walk(file).model()


@dataclass(frozen=True)
class _Variable:
    name: str  # name without aliases
    dtype: str
    shape: tuple[int, ...]
    offset: int


class _Walk:
    def __init__(self, file: MappedFile) -> None:
        self.file = file
        self.position = 0

    def model(self) -> Model:
        version, spec, revision = self.number("I", "the version"), "", 1
        if not 1 <= version <= _NEWEST_VERSION:
            raise FormatError(
                f"{self.file.path}: version {version}, expected 1 to {_NEWEST_VERSION}"
            )
        if version >= 2:
            spec, revision = self.string("the spec's name"), self.number("I", "the revision")
        variables: dict[str, _Variable] = {}
        for _ in range(self.number("I", "the number of variables")):
            self.variable(variables, version)
        if version >= 3:
            for _ in range(self.number("I", "the number of aliases")):
                self.alias(variables)
        if self.position != self.file.size:
            rest = self.file.size - self.position
            raise FormatError(f"{self.file.path}: {rest} bytes after the last variable")
        tensors, settings = _contents(self.file, variables)
        return Model(self.file.path, version, spec, revision, tensors, settings)

    def variable(self, variables: dict[str, _Variable], version: int) -> None:
        name = self.string("a variable's name")
        rank = self.number("B", f"the rank of {name}")
        if name in variables or rank > MAX_RANK:
            raise FormatError(
                f"{self.file.path}: variable {name!r:.200} of rank {rank} stands twice or has "
                f"more than {MAX_RANK} sizes"
            )
        shape = tuple(self.number("I", f"the sizes of {name}") for _ in range(rank))
        dtype, length = self.type_and_length(name, shape, version)
        self.file.view(self.position, length, name)
        variables[name] = _Variable(name, dtype, shape, self.position)
        self.position += length

    def type_and_length(self, name: str, shape: tuple[int, ...], version: int) -> tuple[str, int]:
        kind = self.number("B", f"the type of {name}")
        count = self.number("I", f"the length of {name}")
        if version >= 4:
            dtype = _TYPES[kind] if kind < len(_TYPES) else None
        else:
            dtype = _TYPES_BY_ITEM_SIZE.get(kind)
        if dtype is None:
            raise FormatError(f"{self.file.path}: {name!r:.200} has the type {kind}, unknown")
        item_size = np.dtype(_INTEGERS.get(dtype) or RAW_DTYPES[dtype]).itemsize
        length = num_bytes(shape, item_size, f"{self.file.path}: {name!r:.200}")
        if count != (length if version >= 4 else math.prod(shape)):
            raise FormatError(
                f"{self.file.path}: {name!r:.200} is {dtype} of shape {short(shape)}, but its "
                f"length is {count}"
            )
        return dtype, length

    def alias(self, variables: dict[str, _Variable]) -> None:
        alias, name = self.string("an alias"), self.string("a variable's name")
        if alias in variables or name not in variables:
            raise FormatError(
                f"{self.file.path}: {alias!r:.200} is to be an alias of {name!r:.200}, expected a "
                "new name of a variable"
            )
        variables[alias] = variables[name]

    def number(self, kind: str, what: str) -> int:
        size = struct.calcsize(f"<{kind}")
        (value,) = struct.unpack(f"<{kind}", self.file.view(self.position, size, what))
        self.position += size
        return int(value)

    def string(self, what: str) -> str:
        length = self.number("H", what)
        text = bytes(self.file.view(self.position, length, what))
        self.position += length
        if not text.endswith(b"\0") or b"\0" in text[:-1]:
            raise FormatError(f"{self.file.path}: {what} is {text!r:.80}, expected a closing zero")
        return text[:-1].decode("utf-8")


def _contents(
    file: MappedFile, variables: Mapping[str, _Variable]
) -> tuple[dict[str, Tensor], dict[str, float | str]]:
    """Return weights and settings; a quantised weight includes its scale."""
    tensors: dict[str, Tensor] = {}
    settings: dict[str, float | str] = {}
    made: dict[_Variable, Tensor] = {}
    for name, variable in variables.items():
        scaled = variables.get(name.removesuffix("_scale"))
        if name.endswith("_scale") and scaled is not None and scaled.dtype in _INTEGERS:
            continue
        if not variable.shape:
            settings[name] = _number(file, variable)
        elif variable.dtype == "int8" and len(variable.shape) == 1:
            settings[name] = _text(file, variable)
        else:
            if variable not in made:
                made[variable] = _tensor(file, variable, variables)
            tensors[name] = made[variable]
    return tensors, settings


def _number(file: MappedFile, variable: _Variable) -> float:
    """Return a scalar as bool, int or float; the type may tell a flag from a factor."""
    kind = _NUMBERS.get(variable.dtype)
    if kind is None:
        raise FormatError(f"{file.path}: the scalar {variable.name!r:.200} is {variable.dtype}")
    size = struct.calcsize(kind)
    value: float = struct.unpack(kind, file.view(variable.offset, size, variable.name))[0]
    return value


def _text(file: MappedFile, variable: _Variable) -> str:
    """Return a string, which the file stores as an array of int8."""
    if variable.shape[0] > _TEXT_LIMIT:
        raise FormatError(
            f"{file.path}: {variable.name!r:.200} is int8 of shape {variable.shape}, expected a "
            f"text of at most {_TEXT_LIMIT} bytes or a matrix"
        )
    return bytes(file.view(variable.offset, variable.shape[0], variable.name)).decode("utf-8")


def _tensor(file: MappedFile, variable: _Variable, variables: Mapping[str, _Variable]) -> Tensor:
    if variable.dtype not in ("int8", "int16"):
        return file.array(variable.name, variable.dtype, variable.shape, variable.offset)
    scale = variables.get(f"{variable.name}_scale")
    shape = None if scale is None else scale.shape
    expected = [variable.shape[:1]] if variable.dtype == "int8" else [None, ()]
    if shape not in expected or (scale is not None and scale.dtype != "float32"):
        raise FormatError(
            f"{file.path}: the scale of {variable.name!r:.200}, {variable.dtype} of shape "
            f"{variable.shape}, is {scale and scale.dtype} of shape {short(shape)}, expected "
            f"float32 of shape {expected[-1]}"
        )

    def read(part: Any = ...) -> NDArray[np.float32]:
        raw = file.view(variable.offset, math.prod(variable.shape) * item.itemsize, variable.name)
        quantised = np.frombuffer(raw, item).reshape(variable.shape)[part]
        with damage_named(file.path), np.errstate(divide="raise", over="raise", invalid="raise"):
            divisor = _scale(file, variable, scale)
            values: NDArray[np.float32] = quantised.astype(np.float32)
            return values / (divisor[part] if divisor.ndim else divisor)

    item = np.dtype(_INTEGERS[variable.dtype])
    return Tensor(variable.name, variable.shape, variable.dtype, read, in_rows(read))


def _scale(file: MappedFile, variable: _Variable, scale: _Variable | None) -> NDArray[np.float32]:
    """Return the divisor of a quantised weight: a number per row, or one for all rows."""
    if scale is None:
        return np.array(_INT16_SCALE, np.float32)
    values = file.array(scale.name, scale.dtype, scale.shape, scale.offset).read()
    sizes = (-1, *(1,) * (len(variable.shape) - 1)) if scale.shape else ()
    return values.reshape(sizes)
