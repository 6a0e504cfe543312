"""How much a chat template may make, and for how long it may run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

_SECONDS = 10.0
_ITEMS = 1 << 20  # characters and elements that a template may make,
_PER_ITEM = 256  # and as many times what it is given
_STEP = 16  # as many of which a round of a loop counts, or a call


class TooMuchError(Exception):
    """A template makes more than it may, or takes too long."""


class Budget:
    """What one run of a template may still make, and until when."""

    def __init__(self, given: object) -> None:
        self._deadline = time.monotonic() + _SECONDS
        self._left = _ITEMS + _PER_ITEM * sum(map(_size, parts(given)))

    def take(self, size: int) -> None:
        """Something of this size is about to be made."""
        self._left -= size
        if self._left < 0:
            raise TooMuchError("it makes too much text, or too many values")

    def tick(self, size: int = 0) -> str:
        """A loop begins anew, or a function; with so much text of its own."""
        self.take(_STEP + size)
        if time.monotonic() > self._deadline:
            raise TooMuchError(f"it takes more than {_SECONDS:g} seconds")
        return ""

    def made(self, value: Any) -> Any:
        """A value was made, and may hold others many times over."""
        for one in parts(value):
            self.take(_size(one))
        return value


def parts(value: object) -> Iterator[Any]:
    """A value and everything in it, as often as it is there."""
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
