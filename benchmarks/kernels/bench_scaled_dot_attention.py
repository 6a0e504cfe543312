"""Scaled dot-product attention of many heads: C++ on stored keys and values against NumPy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from attnengine import kernels
from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.position_bias import alibi_bias, alibi_slopes
from attnengine.reference.store_keys_values import KEPT
from benchmarks.kernels.case import THREADS, Case, Floats, measure, parametrize, random_arrays

SIZES = [  # (rows, positions, heads, key heads, head_dim)
    (1, 20, 8, 8, 64),
    (4, 20, 8, 8, 64),
    (1, 200, 8, 8, 64),
    (1, 1024, 8, 8, 64),
    (4, 200, 8, 8, 64),
    (8, 200, 8, 8, 64),
    (5, 1500, 8, 8, 64),
    (64, 64, 8, 8, 64),
    (512, 512, 8, 8, 64),
    (128, 128, 12, 12, 32),
    (4, 50, 8, 8, 32),
    (4, 50, 16, 16, 16),
    (4, 50, 16, 16, 8),
    (4, 50, 16, 16, 4),
    (4, 50, 4, 4, 128),
    (1, 200, 14, 2, 64),
    (128, 128, 14, 2, 64),
]
ROUNDED = [
    (1, 200, 8, 8, 64),
    (1, 1024, 8, 8, 64),
    (4, 200, 8, 8, 64),
    (8, 200, 8, 8, 64),
    (5, 1500, 8, 8, 64),
    (512, 512, 8, 8, 64),
    (1, 200, 14, 2, 64),
    (128, 128, 14, 2, 64),
]


class Attend:
    """The context by attnengine; the first call stores the keys and values."""

    def __init__(self, cache_precision: str = "float32", **options: Any) -> None:
        self.cache_precision, self.options = cache_precision, options
        self.pages: kernels.KeyValuePages | None = None

    def __call__(self, query: Floats, keys: Floats, values: Floats) -> Floats:
        if self.pages is None:
            self.pages = kernels.KeyValuePages(keys, values, cache_precision=self.cache_precision)
        options = self.options | {"need_weights": False, "num_threads": THREADS}
        return self.pages.attend(query, **options)[0]


def context(query: Floats, keys: Floats, values: Floats, **options: Any) -> Floats:
    """The context by NumPy."""
    group = query.shape[1] // keys.shape[1]
    wide = [np.repeat(a, group, axis=1) for a in (keys, values)]
    return scaled_dot_attention(query, *wide, **options)[0]


def rounded_context(precision: str, query: Floats, keys: Floats, values: Floats) -> Floats:
    """The context by NumPy over keys and values rounded like the cache's."""
    return context(query, KEPT[precision](keys), KEPT[precision](values))


def case(
    rows: int,
    positions: int,
    heads: int,
    kv_heads: int,
    head_dim: int,
    cache_precision: str = "float32",
) -> Case:
    keys = (positions, kv_heads, head_dim)
    sizes = f"rows={rows} positions={positions} heads={heads}/{kv_heads} head_dim={head_dim}"
    return Case(
        "scaled dot attention",
        sizes if cache_precision == "float32" else f"{sizes} {cache_precision}",
        random_arrays((rows, heads, head_dim), keys, keys),
        context if cache_precision == "float32" else partial(rounded_context, cache_precision),
        Attend(cache_precision),
    )


def adjusted(rows: int, positions: int, heads: int, head_dim: int) -> Case:
    """A case with capped scores (Gemma 2) and the slopes of ALiBi."""
    keys = (positions, heads, head_dim)
    slopes = alibi_slopes(heads).astype(np.float32)
    bias = alibi_bias(slopes, np.full(rows, positions - 1), positions)
    return Case(
        "capped attention with ALiBi",
        f"rows={rows} positions={positions} heads={heads} head_dim={head_dim}",
        random_arrays((rows, heads, head_dim), keys, keys),
        partial(context, score_cap=50.0, bias=bias),
        Attend(score_cap=50.0, slopes=slopes),
    )


CASES = [
    *(case(*size) for size in SIZES),
    *(case(*size, precision) for precision in KEPT for size in ROUNDED),
    *(adjusted(rows, 200, 8, 64) for rows in (1, 8)),
]


@parametrize(CASES)
def test_scaled_dot_attention(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
