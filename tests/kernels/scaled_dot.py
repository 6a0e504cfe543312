"""Scaled dot-product attention in NumPy, for tests of its kernel."""

from __future__ import annotations

import numpy as np

from attnengine.reference.attention import scaled_dot_attention as reference


def arguments(
    rng: np.random.Generator, rows: int, positions: int, heads: int, kv_heads: int, head_dim: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal queries (rows, heads, head_dim), keys and values (positions, kv_heads, head_dim)."""
    query = rng.normal(size=(rows, heads, head_dim)).astype(np.float32)
    keys, values = rng.normal(size=(2, positions, kv_heads, head_dim)).astype(np.float32)
    return query, keys, values


def expected(
    query: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    lengths: np.ndarray | None = None,
    scale: float | None = None,
    score_cap: float = 0.0,
    bias: np.ndarray | None = None,
    begins: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Context and weights in NumPy, in float64."""
    group = query.shape[1] // keys.shape[1]
    if begins is not None:
        hidden = np.where(np.arange(len(keys)) < begins[:, None], -np.inf, 0.0)[:, None, :]
        bias = hidden if bias is None else bias + hidden
    wide = [np.repeat(a.astype(np.float64), group, axis=1) for a in (keys, values)]
    return reference(query.astype(np.float64), *wide, lengths, scale, score_cap, bias)


def assert_close(
    result: tuple[np.ndarray, np.ndarray], right: tuple[np.ndarray, np.ndarray]
) -> None:
    # scores below 10, sums of up to 128 terms: errors of about 2e-6, which exp() passes on
    np.testing.assert_allclose(result[0], right[0], rtol=1e-5, atol=5e-6)
    np.testing.assert_allclose(result[1], right[1], rtol=1e-5, atol=1e-6)
