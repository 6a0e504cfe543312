"""One decoding step of attention: score each source position, normalise, sum the values.

Every function returns ``(context, weights)``. The context is the weighted sum of the values; the
weights sum to 1 over the source.
"""

from __future__ import annotations

import math

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.linear import linear
from attnengine.reference.softmax import softmax


def attend(scores: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Normalise scores to weights and sum the values by weight.

    scores (beam, src), values (src, value_dim).
    Returns (context (beam, value_dim), weights (beam, src)).
    """
    weights = softmax(scores)
    return weights @ values, weights


def additive_attention(
    query: Floats, keys: Floats, values: Floats, v: Floats
) -> tuple[Floats, Floats]:
    """Bahdanau's score, v . tanh(query + key) (Bahdanau, Cho and Bengio 2015).

    query (beam, key_dim) and keys (src, key_dim) are already projected,
    values (src, value_dim), v (key_dim,).
    """
    return attend(np.tanh(query[:, None, :] + keys[None, :, :]) @ v, values)


def dot_attention(query: Floats, keys: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Luong's first score, query . key (Luong, Pham and Manning 2015).

    query (beam, key_dim), keys (src, key_dim), values (src, value_dim).
    """
    return attend(query @ keys.T, values)


def general_attention(
    query: Floats, keys: Floats, values: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Luong's second score, (weight query) . key.

    query (beam, hidden), keys (src, size), values (src, value_dim), weight (size, hidden).
    """
    return dot_attention(linear(query, weight), keys, values)


def concat_attention(
    query: Floats,
    keys: Floats,
    values: Floats,
    weight: Floats,
    v: Floats,
    bias: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Luong's third score, v . tanh(weight [query; key] + bias).

    query (beam, hidden), keys (src, size), values (src, value_dim),
    weight (attention_size, hidden + size), v (attention_size,), bias (attention_size,).
    """
    beam, src = len(query), len(keys)
    queries = np.broadcast_to(query[:, None], (beam, src, query.shape[1]))
    pairs = np.concatenate(
        [queries, np.broadcast_to(keys, (beam, *keys.shape))], axis=-1
    )  # (beam, src, hidden + size)
    return attend(np.tanh(linear(pairs, weight, bias)) @ v, values)


def scaled_dot_attention(
    query: Floats,
    keys: Floats,
    values: Floats,
    lengths: Integers | None = None,
    scale: float | None = None,
    score_cap: float = 0.0,
    bias: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Multi-head attention after the projections (Vaswani et al. 2017).

    query (rows, heads, head_dim), keys and values (positions, heads, head_dim). Row r sees the
    first lengths[r] positions, at least one; lengths (rows,), None: all positions. scale None:
    1 / sqrt(head_dim). score_cap above 0 turns each score into score_cap * tanh(score / score_cap)
    (Gemma 2). The bias (rows, heads, positions) is added afterwards; -inf hides a position.

    Returns (context (rows, heads, head_dim), weights (rows, heads, positions)); the weights of
    unseen positions are 0.
    """
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = scale * np.einsum("rhd,phd->rhp", query, keys)
    if score_cap > 0:
        scores = score_cap * np.tanh(scores / score_cap)
    if bias is not None:
        scores = scores + bias
    positions = np.arange(len(keys))
    seen = np.ones((len(query), len(keys)), bool)
    if lengths is not None:
        seen &= positions < np.asarray(lengths)[:, None]
    scores = np.where(seen[:, None, :], scores, np.array(-np.inf, scores.dtype))
    weights = softmax(scores)
    return np.einsum("rhp,phd->rhd", weights, values), weights
