"""Reads a config: every key must be present, known, of the right type and in range."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from attnengine.errors import FormatError, did_you_mean
from attnengine.loaders.schema import TOKEN_KEYS

T = TypeVar("T")


def read(cls: type[T], config: Mapping[str, Any]) -> T:
    """Fill the dataclass ``cls`` from a config.

    A size (``int``) is at least 1, or at least ``metadata["minimum"]`` of its field. A field with
    a default may be missing.

    Raises
    ------
    FormatError
        A key is missing, unknown, of the wrong type or out of range.
    """
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    known = {field.name for field in fields} | TOKEN_KEYS | {"architecture"}
    for key in config:
        if key not in known:
            raise FormatError(
                f"config: {key!r} is no key of {config['architecture']!r}{did_you_mean(key, known)}"
                "; docs/models.md says which keys each architecture reads"
            )
    hints = get_type_hints(cls)
    values = {}
    for field in fields:
        if field.name not in config:
            if field.default is not dataclasses.MISSING:
                continue
            raise FormatError(f"config: {field.name!r} is missing")
        minimum = field.metadata.get("minimum", 1)
        values[field.name] = _value(field.name, config[field.name], hints[field.name], minimum)
    return cls(**values)


def _value(name: str, value: Any, hint: Any, minimum: int) -> Any:
    options = get_args(hint) if get_origin(hint) is not Literal else (hint,)
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not value:
            raise FormatError(f"config: {name!r} is {value!r}, expected a list")
        return tuple(_value(name, item, options[0], minimum) for item in value)
    if hint is type(None):
        if value is not None:
            raise FormatError(f"config: {name!r} is {value!r}, expected null")
        return None
    if get_origin(hint) is dict:
        if not isinstance(value, dict):
            raise FormatError(f"config: {name!r} is {value!r}, expected an object")
        return value
    if type(None) in options:
        return None if value is None else _value(name, value, options[0], minimum)
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        if not isinstance(value, str) or value not in choices:
            expected = ", ".join(repr(choice) for choice in choices)
            raise FormatError(f"config: {name!r} is {value!r}, expected one of {expected}")
        return value
    return _plain(name, value, hint, minimum)


def _plain(name: str, value: Any, kind: Any, minimum: int) -> Any:
    if kind is float:
        if type(value) in (int, float) and 0 < value <= sys.float_info.max:
            return float(value)
    elif type(value) is kind and (kind is not int or minimum <= value < 2**31):
        return value
    expected = {
        int: f"an integer, {minimum} or more",
        float: "a number above 0",
        bool: "true or false",
        str: "a string",
    }
    raise FormatError(f"config: {name!r} is {value!r}, expected {expected[kind]}")
