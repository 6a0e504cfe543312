"""Turns the errors of parsers on damaged files into errors that name the file."""

from __future__ import annotations

import reprlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attnengine.errors import Error, FormatError

# Errors that parsers of the standard library and NumPy raise on damaged input.
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
    """Turn every error of a parser on a damaged file into a `FormatError` that names the file."""
    try:
        yield
    except Error:
        raise
    except _DAMAGE as error:
        reason = f"{type(error).__name__}: {error}"[:300]
        raise FormatError(f"{path} is damaged or not what it claims to be ({reason})") from error


def short(value: object) -> str:
    """Return a short text of a value from a file, for error messages.

    `repr` would not do: a few bytes of a pickle can nest and share lists without end.
    """
    return _REPR.repr(value)


_REPR = reprlib.Repr()
_REPR.maxlevel = 3
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 80
