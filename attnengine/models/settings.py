"""How a model is built: precisions and threads, which each layer gets with its weights."""

from __future__ import annotations

from attnengine import _core
from attnengine.models.precisions import check_precision, choose_cache_precision

BuildSettings = _core.BuildSettings

FLOAT32 = BuildSettings()


def build_settings(
    precision: str = "float32", cache_precision: str | None = None, num_threads: int = 1
) -> BuildSettings:
    """Return checked settings; ``cache_precision`` depends on ``precision`` when None.

    Raises Unsupported for a precision that layers or keys and values do not have.
    """
    check_precision(precision)
    cache = choose_cache_precision(precision, cache_precision)
    return BuildSettings(precision=precision, cache_precision=cache, num_threads=num_threads)


def logits_precision(settings: BuildSettings) -> str:
    """Return the precision of the layer that gives logits: 4 bits harm it most, so it has 8."""
    return "int8" if settings.precision == "int4" else settings.precision
