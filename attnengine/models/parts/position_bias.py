"""Biases that attention adds to its scores by the distance between query and key."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.matrix import Floats

_MAX_TABLE = 2**24  # numbers; no weight in the file bounds the largest distance


def bucket_bias(weight: Floats, max_distance: int, *, bidirectional: bool) -> _core.PositionBias:
    """Return T5's bias; ``weight`` (num_buckets, num_heads) has a number per range of distances.

    Raises FormatError for a ``max_distance`` that the buckets do not fit.
    """
    num_buckets, num_heads = weight.shape
    limit = _MAX_TABLE // (2 * num_heads)
    if num_buckets < 4 or not num_buckets // 2 < max_distance <= limit:
        raise FormatError(
            f"config: 'relative_attention_num_buckets' is {num_buckets} and "
            f"'relative_attention_max_distance' {max_distance}, expected 4 buckets or more, and "
            f"{num_buckets // 2 + 1} to {limit} as distance"
        )
    distances = np.arange(-max_distance, max_distance + 1)
    buckets = relative_buckets(distances, num_buckets, max_distance, bidirectional=bidirectional)
    return _core.PositionBias(table=weight[buckets].T)


def relative_buckets(
    distances: NDArray[np.int64], num_buckets: int, max_distance: int, *, bidirectional: bool
) -> NDArray[np.int64]:
    """Return the bucket of each distance, key position - query position (Raffel et al. 2020).

    Half of the buckets hold one distance each, for the keys nearest before the query. The ranges of
    the other half grow logarithmically up to max_distance. Keys after the query share bucket 0.
    If ``bidirectional``, they get half of all buckets instead, divided in the same way.
    """
    if bidirectional:
        half = num_buckets // 2
        before = relative_buckets(-np.abs(distances), half, max_distance, bidirectional=False)
        return before + np.where(distances > 0, half, 0)
    back, exact = np.maximum(-distances, 0), num_buckets // 2
    share = np.log(np.maximum(back, 1) / exact) / math.log(max_distance / exact)
    far = exact + (share * (num_buckets - exact)).astype(np.int64)
    return np.where(back < exact, back, np.minimum(far, num_buckets - 1))
