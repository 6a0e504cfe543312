"""Scaled dot-product attention of many heads: C++ against NumPy, which both give the weights."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.position_bias import alibi_bias, alibi_slopes
from benchmarks.case import Case, measure, parametrize, random_arrays, threaded

SIZES = [  # (rows, positions, heads, head_dim)
    (1, 20, 8, 64),
    (4, 20, 8, 64),
    (1, 200, 8, 64),
    (8, 200, 8, 64),
    (64, 64, 8, 64),
    (4, 50, 8, 32),
    (4, 50, 16, 16),
    (4, 50, 16, 8),
    (4, 50, 16, 4),
    (4, 50, 4, 128),
]


def case(rows: int, positions: int, heads: int, head_dim: int) -> Case:
    keys = (positions, heads, head_dim)
    return Case(
        "scaled dot attention",
        f"rows={rows} positions={positions} heads={heads} head_dim={head_dim}",
        random_arrays((rows, heads, head_dim), keys, keys),
        scaled_dot_attention,
        threaded("scaled_dot_attention"),
    )


def adjusted(rows: int, positions: int, heads: int, head_dim: int) -> Case:
    """With capped scores (Gemma 2) and the slopes of ALiBi."""
    keys = (positions, heads, head_dim)
    slopes = alibi_slopes(heads).astype(np.float32)
    bias = alibi_bias(slopes, np.full(rows, positions - 1), positions)
    return Case(
        "capped attention with ALiBi",
        f"rows={rows} positions={positions} heads={heads} head_dim={head_dim}",
        random_arrays((rows, heads, head_dim), keys, keys),
        partial(scaled_dot_attention, score_cap=50.0, bias=bias),
        threaded("scaled_dot_attention", score_cap=50.0, slopes=slopes),
    )


CASES = [case(*size) for size in SIZES] + [adjusted(1, 200, 8, 64), adjusted(8, 200, 8, 64)]


@parametrize(CASES)
def test_scaled_dot_attention(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
