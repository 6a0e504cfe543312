"""Reading a packed model: the constructor calls again, over mapped arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnengine import _core
from attnengine.errors import FormatError, InvalidArgument
from attnengine.packing.file import LAYOUTS, MismatchError, Reader

Model = _core.Decoder | _core.Encoder


# What wrong names, arguments and nesting in a header end in.
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
    """Make the model of a file again; its weights stay on disk until they are used.

    ``settings`` are those of parts that are not packed, such as the cache of a decoder.

    Raises MismatchError when the file's marks or layouts are others, FormatError when it is
    damaged.
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
    """The constructor of a class of the compiled module."""
    cls = getattr(_core, name, None) if name.isidentifier() else None
    if not isinstance(cls, type) or issubclass(cls, BaseException):
        raise FormatError(f"part {name!r:.80} is not known")
    return cls


def _value(value: Any, made: list[Any], reader: Reader, settings: _core.BuildSettings) -> Any:
    if isinstance(value, dict):
        if "array" in value:
            return reader.array(value["array"])
        if "settings" in value:
            return settings
        index = value["part"]
        if type(index) is not int or not 0 <= index < len(made):
            raise FormatError(f"{reader.path}: part {index!r:.80}, expected 0 to {len(made) - 1}")
        return made[index]
    if isinstance(value, list):
        return [_value(item, made, reader, settings) for item in value]
    return value
