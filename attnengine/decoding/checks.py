"""Checks of the values of options: each has a type, a description in words and a test."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from attnengine.errors import InvalidArgument

INT32_MAX = 2**31 - 1
UINT64_MAX = 2**64 - 1


@dataclass(frozen=True)
class Check:
    """The values that an option may have.

    values
        The allowed values in words, for help and documentation: "1 or more".
    kind
        The type in text and JSON: int, float, str, bool, or list for a list of int. None: only
        Python can give a value.
    read
        Takes name and value, and returns the value in the option's own type. Raises
        InvalidArgument, which names the option, for a value that is not allowed.
    choices
        Every allowed value, if the values are names.
    """

    values: str
    kind: type | None
    read: Callable[[str, Any], Any]
    choices: tuple[str, ...] = ()


def refuse(name: str, value: object, expected: str) -> NoReturn:
    """Raise InvalidArgument: "beam_size is 0, expected an integer from 1 to 2147483647"."""
    raise InvalidArgument(f"{name} is {value!r}, expected {expected}")


def integer(low: int, high: int = INT32_MAX) -> Check:
    """Return a check for an integer from ``low`` to ``high``, both included."""

    def read(name: str, value: Any) -> int:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not (whole and low <= value <= high):
            refuse(name, value, f"an integer from {low} to {high}")
        return int(value)

    values = f"{low} or more" if high == INT32_MAX else f"{low} to {high}"
    return Check(values, int, read)


def number(above: float = -math.inf) -> Check:
    """Return a check for a finite number that is larger than ``above``."""
    expected = "a finite number" if above == -math.inf else f"a finite number above {above:g}"

    def read(name: str, value: Any) -> float:
        real = isinstance(value, (int, float, np.integer, np.floating))
        if not real or isinstance(value, bool) or not _finite(value) or value <= above:
            refuse(name, value, expected)
        return float(value)

    return Check(expected, float, read)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False


def boolean() -> Check:
    """Return a check for True or False."""

    def read(name: str, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            refuse(name, value, "True or False")
        return bool(value)

    return Check("True or False", bool, read)


def choice(*choices: str) -> Check:
    """Return a check for one of the names ``choices``."""
    expected = " or ".join(repr(one) for one in choices)

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            refuse(name, value, expected)
        return value

    return Check(" or ".join(f'"{one}"' for one in choices), str, read, choices)


def token_ids() -> Check:
    """Return a check for a list of token ids."""
    expected = "a list of ids, each 0 or more"

    def is_id(value: Any) -> bool:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        return bool(whole and 0 <= value <= INT32_MAX)

    def read(name: str, value: Any) -> tuple[int, ...]:
        listed = isinstance(value, (list, tuple)) or (
            isinstance(value, np.ndarray) and value.ndim == 1
        )
        if not listed or not all(map(is_id, value)):
            refuse(name, value, expected)
        return tuple(int(one) for one in value)

    return Check("a list of ids", list, read)


def callables(signature: str) -> Check:
    """Return a check for a list of callables; errors quote their ``signature``."""

    def read(name: str, value: Any) -> tuple[Callable[..., object], ...]:
        if not isinstance(value, (list, tuple)) or not all(callable(one) for one in value):
            refuse(name, value, f"a list of callables {signature}")
        return tuple(value)

    return Check("a list of callables", None, read)


def or_none(check: Check) -> Check:
    """Return a check for the values of ``check`` or None."""
    read = check.read
    values = f"{check.values}, None"
    return replace(check, values=values, read=lambda name, value: _given(read, name, value))


def _given(read: Callable[[str, Any], Any], name: str, value: Any) -> Any:
    return None if value is None else read(name, value)
