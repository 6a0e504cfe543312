"""Biases of attention scores that depend on the distance between query and key."""

from __future__ import annotations

import math

import numpy as np

from attnengine.reference.arrays import Floats, Integers


def distances(places: Integers, positions: int) -> Integers:
    """Return the key's position minus the query's for each row: (rows, positions).

    places (rows,) are the positions of the queries.
    """
    result: Integers = np.arange(positions) - np.asarray(places)[:, None]
    return result


def table_bias(table: Floats, places: Integers, positions: int) -> Floats:
    """Look up the bias of each distance in a table (heads, 2 * reach + 1).

    Column ``reach`` is distance 0; distances beyond reach use the outermost columns.
    Returns (rows, heads, positions).
    """
    reach = table.shape[1] // 2
    columns = np.clip(distances(places, positions), -reach, reach) + reach
    bias: Floats = table[:, columns].transpose(1, 0, 2)
    return bias


def alibi_bias(slopes: Floats, places: Integers, positions: int) -> Floats:
    """The bias of ALiBi, slopes (heads,) times the distances (Press, Smith and Lewis 2022).

    Returns (rows, heads, positions).
    """
    bias: Floats = slopes[:, None] * distances(places, positions)[:, None, :].astype(slopes.dtype)
    return bias


def alibi_slopes(num_heads: int, max_bias: float = 8.0) -> Floats:
    """Return the slopes of ALiBi, (heads,), as the authors' code computes them.

    The slope of head h is 2 ** (-max_bias * (h + 1) / heads) if num_heads is a power of two.
    Otherwise the slopes of the power of two below come first. Every other slope of the power of
    two above follows.
    """
    below = 2 ** math.floor(math.log2(num_heads))
    slopes = 2.0 ** (-max_bias / below * np.arange(1, below + 1))
    between = 2.0 ** (-max_bias / (2 * below) * np.arange(1, 2 * below, 2))
    return np.concatenate([slopes, between])[:num_heads]


def relative_buckets(
    distance: Integers, num_buckets: int, max_distance: int, *, bidirectional: bool
) -> Integers:
    """Return the bucket of each distance, key position minus query position (Raffel et al. 2020).

    Half of the buckets hold one distance each. The others hold ranges that grow logarithmically
    up to max_distance. A bidirectional table uses its second half for keys after the query;
    another table puts these keys into bucket 0.
    """
    start: Integers = np.zeros_like(distance)
    if bidirectional:
        num_buckets //= 2
        start = np.where(distance > 0, num_buckets, 0)
        back = np.abs(distance)
    else:
        back = np.maximum(-distance, 0)
    exact = num_buckets // 2
    grown = np.log(np.maximum(back, 1) / exact) / math.log(max_distance / exact)
    far = np.minimum(exact + (grown * (num_buckets - exact)).astype(np.int64), num_buckets - 1)
    result: Integers = start + np.where(back < exact, back, far)
    return result
