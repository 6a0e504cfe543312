"""Build settings of a model, precisions and threads, which each layer gets with its weights."""

from __future__ import annotations

from attnengine import _core
from attnengine.models.precisions import check_precision, choose_cache_precision

BuildSettings = _core.BuildSettings

FLOAT32 = BuildSettings()


def build_settings(
    precision: str = "float32", cache_precision: str | None = None, num_threads: int = 1
) -> BuildSettings:
    """Return checked settings; by default ``cache_precision`` depends on ``precision``.

    Raises Unsupported for a precision that weights or caches cannot have.
    """
    check_precision(precision)
    cache = choose_cache_precision(precision, cache_precision)
    return BuildSettings(precision=precision, cache_precision=cache, num_threads=num_threads)


def logits_precision(settings: BuildSettings) -> str:
    """Return the output layer's precision: 8 bits in int4 models, because 4 bits harm it most."""
    return "int8" if settings.precision == "int4" else settings.precision
