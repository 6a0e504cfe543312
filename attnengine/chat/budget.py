"""Limits on the time of a chat template and on the size of the values it creates."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

_SECONDS = 10.0
_ITEMS = 1 << 20  # characters and elements that a template may create
_PER_ITEM = 256  # further characters and elements for each one in its input
_STEP = 16  # cost of a loop iteration or a call, in characters


class TooMuchError(Exception):
    """A template exceeds its limit of time or size."""


class Budget:
    """The remaining size and time of one run of a template."""

    def __init__(self, given: object) -> None:
        self._deadline = time.monotonic() + _SECONDS
        self._left = _ITEMS + _PER_ITEM * sum(map(_size, parts(given)))

    def take(self, size: int) -> None:
        """Subtract the size of a value that is about to be created.

        Raises TooMuchError if nothing is left.
        """
        self._left -= size
        if self._left < 0:
            raise TooMuchError(
                f"the template creates too much text or too many values, expected at most {_ITEMS}"
                f" characters and elements, and {_PER_ITEM} for each in the messages"
            )

    def tick(self, size: int = 0) -> str:
        """Count a loop iteration or a call, with ``size`` characters of literal text.

        Raises TooMuchError if no size or no time is left.
        """
        self.take(_STEP + size)
        if time.monotonic() > self._deadline:
            raise TooMuchError(f"the template takes more than {_SECONDS:g} seconds")
        return ""

    def made(self, value: Any) -> Any:
        """Count a new value and everything in it, shared parts each time; return the value."""
        for one in parts(value):
            self.take(_size(one))
        return value


def parts(value: object) -> Iterator[Any]:
    """Yield a value and everything in it; a shared part comes once per occurrence."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, (list, tuple)):
            waiting += one


def _size(value: object) -> int:
    return 1 + len(value) if isinstance(value, str) else 1
