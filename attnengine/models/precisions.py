"""Precisions of weights, and of the keys and values in a decoder's cache."""

from __future__ import annotations

from collections.abc import Iterable

from attnengine.errors import Unsupported

PRECISIONS = ("float32", "bfloat16", "int8", "int4")
# Bytes per number of cached keys and values, and bytes of the scales per head and position.
CACHE_BYTES = {"float32": (4, 0), "float16": (2, 0), "int8": (1, 8)}


def check_precision(precision: str) -> None:
    """Raise Unsupported unless weights can have this precision."""
    _expect_one_of(PRECISIONS, precision, "precision")


def choose_cache_precision(precision: str, cache_precision: str | None) -> str:
    """Return ``cache_precision``; None: "float32" with float32 weights, else "float16".

    Raises Unsupported unless a cache can have this precision.
    """
    if cache_precision is None:
        return "float32" if precision == "float32" else "float16"
    _expect_one_of(CACHE_BYTES, cache_precision, "cache_precision")
    return cache_precision


def _expect_one_of(known: Iterable[str], value: str, name: str) -> None:
    if value not in known:
        listed = ", ".join(map(repr, known))
        raise Unsupported(f"{name} is {value!r}, expected one of {listed}")
