"""How models are packed in tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attnengine import _core


@contextmanager
def packed_in(
    precision: str, num_threads: int = 1, cache_precision: str = "float32"
) -> Iterator[None]:
    """Layers that are made meanwhile have this precision, unless they are told another."""
    _core.set_packing(num_threads, precision, cache_precision)
    try:
        yield
    finally:
        _core.set_packing()
