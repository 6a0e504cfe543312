"""What attention adds to its scores for the distance between query and key."""

from __future__ import annotations

import math

import numpy as np

from attnengine.reference.arrays import Floats, Integers


def distances(places: Integers, positions: int) -> Integers:
    """(rows, positions): the position of each key less that of each row's query (rows,)."""
    result: Integers = np.arange(positions) - np.asarray(places)[:, None]
    return result


def table_bias(table: Floats, places: Integers, positions: int) -> Floats:
    """Bias (rows, heads, positions) from a table (heads, 2 * reach + 1) over the distances.

    Column reach is distance 0; greater distances than reach are as reach.
    """
    reach = table.shape[1] // 2
    columns = np.clip(distances(places, positions), -reach, reach) + reach
    bias: Floats = table[:, columns].transpose(1, 0, 2)
    return bias


def alibi_bias(slopes: Floats, places: Integers, positions: int) -> Floats:
    """ALiBi (Press, Smith and Lewis 2022): slopes (heads,) times the distances.

    Returns (rows, heads, positions).
    """
    bias: Floats = slopes[:, None] * distances(places, positions)[:, None, :].astype(slopes.dtype)
    return bias


def alibi_slopes(num_heads: int, max_bias: float = 8.0) -> Floats:
    """(heads,): 2 ** (-max_bias * (h + 1) / heads) for a power of two.

    For other numbers of heads: those of the power of two below, then every other slope of the
    power of two above, as the authors' code has it.
    """
    below = 2 ** math.floor(math.log2(num_heads))
    slopes = 2.0 ** (-max_bias / below * np.arange(1, below + 1))
    between = 2.0 ** (-max_bias / (2 * below) * np.arange(1, 2 * below, 2))
    return np.concatenate([slopes, between])[:num_heads]


def relative_buckets(
    distance: Integers, num_buckets: int, max_distance: int, *, bidirectional: bool
) -> Integers:
    """The bucket of each distance, key position less query position (Raffel et al. 2020).

    Half of the buckets are for one distance each, the rest for ranges that grow logarithmically
    up to max_distance. Of a bidirectional table the second half is for keys after the query;
    otherwise these share bucket 0.
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
