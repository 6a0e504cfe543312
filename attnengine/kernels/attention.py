"""Attention scores of recurrent decoders, and multi-head attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core
from attnengine._core import KeyValuePages, PackedLinear
from attnengine.errors import InvalidArgument
from attnengine.kernels.linear import linear

if TYPE_CHECKING:
    from typing_extensions import Unpack

Floats = NDArray[np.float32]


def additive_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, v: ArrayLike, *, num_threads: int = 1
) -> tuple[Floats, Floats]:
    """Bahdanau's score, v . tanh(query + key) (Bahdanau, Cho and Bengio 2015).

    query (rows, key_dim) and keys (src, key_dim) already projected, values (src, value_dim),
    v (key_dim,). Returns (context (rows, value_dim), weights (rows, src)).
    """
    return _core.additive_attention(query, keys, values, v, num_threads)


def dot_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, *, num_threads: int = 1
) -> tuple[Floats, Floats]:
    """Luong's first score, query . key (Luong, Pham and Manning 2015).

    query (rows, key_dim), keys (src, key_dim), values (src, value_dim).
    Returns (context (rows, value_dim), weights (rows, src)).
    """
    return _core.dot_attention(query, keys, values, num_threads)


def general_attention(
    query: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    weight: ArrayLike | PackedLinear,
    *,
    num_threads: int = 1,
) -> tuple[Floats, Floats]:
    """Luong's second score, (weight query) . key: `dot_attention` of the projected query.

    query (rows, hidden), keys (src, size), values (src, value_dim), weight (size, hidden)
    or a PackedLinear of it. Returns (context (rows, value_dim), weights (rows, src)).
    """
    project = weight if isinstance(weight, PackedLinear) else PackedLinear(weight)
    projected = project(query, num_threads=num_threads)
    return dot_attention(projected, keys, values, num_threads=num_threads)


def concat_attention(
    query: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    weight: ArrayLike,
    v: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    num_threads: int = 1,
) -> tuple[Floats, Floats]:
    """Luong's third score, v . tanh(weight [query; key] + bias).

    It is `additive_attention` of query and keys, each projected by its columns of the weight.
    query (rows, hidden), keys (src, size), values (src, value_dim), v (attention_size,),
    weight (attention_size, hidden + size), bias (attention_size,) or None.
    Returns (context (rows, value_dim), weights (rows, src)).
    """
    queries, states, columns = np.asarray(query), np.asarray(keys), np.asarray(weight)
    width = queries.shape[-1] + states.shape[-1]
    if columns.ndim != 2 or columns.shape[1] != width:
        raise InvalidArgument(
            f"weight.shape is {columns.shape}, expected (attention_size, {width})"
        )
    hidden = queries.shape[-1]
    projected_query = linear(queries, columns[:, :hidden], bias, num_threads=num_threads)
    projected_keys = linear(states, columns[:, hidden:], num_threads=num_threads)
    return additive_attention(projected_query, projected_keys, values, v, num_threads=num_threads)


class AttentionOptions(TypedDict, total=False):
    """What `scaled_dot_attention` does with scores; row r sees begins[r] to lengths[r] - 1.

    Scaled scores become score_cap * tanh(score / score_cap) when it is above 0 (Gemma 2). Then are
    added: key_bias, and by the distance, a key's position less the row's, column
    clip(distance, -reach, reach) + reach of position_bias (Raffel et al. 2020) and
    slopes * distance (Press et al. 2022).
    """

    begins: ArrayLike | None  # (rows,), None: 0
    score_cap: float
    position_bias: ArrayLike | None  # (heads, 2 * reach + 1)
    slopes: ArrayLike | None  # (heads,)
    key_bias: ArrayLike | None  # (heads, positions)
    places: ArrayLike | None  # (rows,), the positions of the rows; None: the last seen
    need_weights: bool  # or the weights that come back are (rows, heads, 0)
    num_threads: int


def scaled_dot_attention(
    query: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    lengths: ArrayLike | None = None,
    scale: float | None = None,
    **options: Unpack[AttentionOptions],
) -> tuple[Floats, Floats]:
    """Multi-head attention after the projections (Vaswani et al. 2017); stores keys and values.

    Use `KeyValuePages` for many calls.

    query (rows, heads, head_dim), keys and values (positions, kv_heads, head_dim): each key/value
    head serves heads / kv_heads adjacent query heads (Ainslie et al. 2023). lengths (rows,), at
    least 1, None: all. scale is 1 / sqrt(head_dim) if None.

    Returns (context (rows, heads, head_dim), weights (rows, heads, positions), 0 where a position
    is not seen).
    """
    return KeyValuePages(keys, values).attend(query, lengths, scale=scale, **options)
