"""Files are hostile: the mapped, bounds-checked reading that every format shares."""

from __future__ import annotations

import contextlib
import json
import math
import mmap
import reprlib
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import Error, FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor

Floats = NDArray[np.float32]
# How the floats of a file lie on disk; bfloat16 is the upper half of a float32.
RAW_DTYPES = {"float16": "<f2", "bfloat16": "<u2", "float32": "<f4", "float64": "<f8"}
MAX_RANK = 8
_LARGE = 1 << 16  # bytes of a view whose pages count
CONFIG_LIMIT = 1 << 20  # bytes of JSON; parsed, it takes up to 25 times as much
VOCABULARY_LIMIT = 1 << 24
TOKENIZER_LIMIT = 1 << 26  # tokenizer.json: Llama 3 has 17 MB

# What parsers of the standard library and NumPy raise on damaged input.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes a parser raise into `FormatError` naming the file."""
    try:
        yield
    except Error:
        raise
    except _DAMAGE as error:
        reason = f"{type(error).__name__}: {error}"[:300]
        raise FormatError(f"{path} is damaged or not what it claims to be ({reason})") from error


class MappedFile:
    """A file mapped for reading; nothing beyond its end is ever touched."""

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
        """The bytes of `what`, without a copy."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise FormatError(
                f"{self.path}: {what} is {length} bytes at offset {offset}, "
                f"but the file has {self.size} bytes"
            )
        self._give_back()
        self._seen = offset, length
        return memoryview(self._map)[offset : offset + length]

    def _give_back(self) -> None:
        """Let the pages of the view before leave the process: weights are read once, in order.

        A view that is still read gets them again from the system's cache.
        """
        offset, length = self._seen
        if length >= _LARGE and hasattr(self._map, "madvise"):
            begin = offset // mmap.PAGESIZE * mmap.PAGESIZE
            with contextlib.suppress(OSError):  # locked pages stay
                self._map.madvise(mmap.MADV_DONTNEED, begin, offset + length - begin)

    def stream(self) -> IO[bytes]:
        """The file from its start, for parsers that read on.

        Reading from the map gives what is there; a file object would first allocate
        whatever length a damaged file asks for.
        """
        self._map.seek(0)
        return cast(IO[bytes], self._map)

    def array(self, name: str, dtype: str, shape: Sequence[int], offset: int) -> Tensor:
        """Return the little-endian row-major weight at `offset`, read when asked for."""
        raw_dtype = np.dtype(RAW_DTYPES.get(dtype, "u1"))  # others are refused when read
        length = num_bytes(shape, raw_dtype.itemsize, f"{self.path}: {name}")
        self.view(offset, length, name)

        def raw() -> NDArray[Any]:
            return np.frombuffer(self.view(offset, length, name), raw_dtype).reshape(shape)

        return float_tensor(name, dtype, shape, raw, self.path, in_parts=True)


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


def read_text(path: Path, limit: int) -> str:
    """Read a UTF-8 file of at most `limit` bytes."""
    if not path.is_file():
        raise FormatError(f"{path} is missing or not a file")
    with damage_named(path):
        size = path.stat().st_size
        if size > limit:
            raise FormatError(f"{path} has {size} bytes, expected up to {limit}")
        return path.read_text(encoding="utf-8")


def read_json(path: Path, limit: int) -> Any:
    """Parse a JSON file of at most `limit` bytes; a key that stands twice is an error."""
    text = read_text(path, limit)
    with damage_named(path):
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)


def read_object(path: Path, limit: int) -> dict[str, Any]:
    """Parse a JSON file whose outermost value is an object."""
    value = read_json(path, limit)
    if not isinstance(value, dict):
        raise FormatError(f"{path} holds {short(value)}, expected a JSON object")
    return value


def read_optional(path: Path, limit: int = CONFIG_LIMIT) -> dict[str, Any]:
    """Parse a JSON file that may be missing; the empty object then."""
    return read_object(path, limit) if path.exists() else {}


def token_list(value: object, where: str) -> list[str]:
    """Check that a value from a file is a list of strings."""
    if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
        raise FormatError(f"{where} is {short(value)}, expected a list of strings")
    return value


def short(value: object) -> str:
    """Text of a value from a file, for messages.

    Not `repr`: what a few bytes of a pickle nest and share is endless when written out.
    """
    return _REPR.repr(value)


_REPR = reprlib.Repr()
_REPR.maxlevel = 3
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 80


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"key {twice!r} stands twice")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
