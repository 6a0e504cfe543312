"""Reading a packed model: repeats the recorded constructor calls over mapped arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnengine import _core
from attnengine.errors import FormatError, InvalidArgument
from attnengine.packing.file import LAYOUTS, MismatchError, Reader

Model = _core.Decoder | _core.Encoder


# Exceptions that wrong names, arguments or nesting in a header cause.
_DAMAGE = (
    InvalidArgument,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def read(path: Path, marks: dict[str, Any], settings: _core.BuildSettings) -> Model:
    """Rebuild the model of a packed file; pages of weights are read from disk on first use.

    ``settings`` apply to parts that the file does not store, such as the cache of a decoder.

    Raises MismatchError if the file's marks or layouts differ, FormatError if it is damaged.
    """
    reader = Reader(path)
    for mark, expected in {**marks, "layouts": LAYOUTS}.items():
        found = reader.header.get(mark)
        if found != expected:
            raise MismatchError(f"{mark} is {found!r:.100}, expected {expected!r}")
    try:
        made: list[Any] = []
        for name, args, kwargs in reader.header["parts"]:
            args = [_value(arg, made, reader, settings) for arg in args]
            kwargs = {key: _value(arg, made, reader, settings) for key, arg in kwargs.items()}
            made.append(_make(name)(*args, **kwargs))
        model = _value(reader.header["root"], made, reader, settings)
    except _DAMAGE as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: {str(error)[:300]}") from error
    if not isinstance(model, _core.Decoder | _core.Encoder):
        raise FormatError(f"{path} holds a {type(model).__name__}, expected a model")
    return model


def _make(name: str) -> Any:
    """Return a class of the compiled module by its name.

    Raises FormatError for an unknown name.
    """
    cls = getattr(_core, name, None) if name.isidentifier() else None
    if not isinstance(cls, type) or issubclass(cls, BaseException):
        raise FormatError(f"part {name!r:.80} is unknown, expected a class of attnengine._core")
    return cls


def _value(value: Any, made: list[Any], reader: Reader, settings: _core.BuildSettings) -> Any:
    if isinstance(value, dict):
        if "array" in value:
            return reader.array(value["array"])
        if "settings" in value:
            return settings
        index = value["part"]
        if type(index) is not int or not 0 <= index < len(made):
            raise FormatError(
                f"{reader.path}: part index is {index!r:.80}, expected 0 to {len(made) - 1}"
            )
        return made[index]
    if isinstance(value, list):
        return [_value(item, made, reader, settings) for item in value]
    return value
