"""Files are hostile: what parsers raise on damaged ones names the file."""

from __future__ import annotations

import reprlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attnengine.errors import Error, FormatError

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


def short(value: object) -> str:
    """Text of a value from a file, for messages.

    Not `repr`: what a few bytes of a pickle nest and share is endless when written out.
    """
    return _REPR.repr(value)


_REPR = reprlib.Repr()
_REPR.maxlevel = 3
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 80
