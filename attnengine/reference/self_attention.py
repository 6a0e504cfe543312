"""Self-attention in six steps: for one word, then as matrices, then with many heads.

The steps follow "The Illustrated Transformer" (Alammar 2018). The formulas are those of Vaswani et
al. 2017, section 3.2. Projections are (out, in), as in ``torch.nn.Linear``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attnengine.reference.arrays import Booleans, Floats
from attnengine.reference.linear import linear
from attnengine.reference.softmax import softmax


@dataclass(frozen=True)
class SelfAttention:
    """The results of the six steps."""

    queries: Floats  # (tokens, key_dim)             step 1
    keys: Floats  # (tokens, key_dim)                step 1
    values: Floats  # (tokens, value_dim)            step 1
    scores: Floats  # (query, key)                   step 2
    scaled_scores: Floats  # (query, key)            step 3
    weights: Floats  # (query, key), rows sum to 1   step 4
    weighted_values: Floats  # (query, key, value_dim)   step 5
    output: Floats  # (tokens, value_dim)            step 6


def masked(scores: Floats, mask: Booleans | None) -> Floats:
    """Set scores to -inf where mask (query, key) is False; each row needs at least one True."""
    return scores if mask is None else np.where(mask, scores, np.array(-np.inf, scores.dtype))


def self_attention_of_word(
    word: int, x: Floats, w_q: Floats, w_k: Floats, w_v: Floats, mask: Booleans | None = None
) -> SelfAttention:
    """The six steps for one word of a sentence; the query axis of the results has length 1.

    x (tokens, size), w_q and w_k (key_dim, size), w_v (value_dim, size).
    """
    # 1. project: a query for the word, a key and a value for every word
    query, keys, values = w_q @ x[word], linear(x, w_k), linear(x, w_v)
    # 2. score every word: the dot product of query and key
    scores = np.array([query @ key for key in keys])
    # 3. divide by the square root of the key's length
    scaled_scores = scores / math.sqrt(len(query))
    # 4. softmax: positive weights that sum to 1
    weights = softmax(masked(scaled_scores, None if mask is None else mask[word]))
    # 5. multiply each value by its weight
    weighted_values = np.stack([w * value for w, value in zip(weights, values, strict=True)])
    # 6. sum the weighted values
    output = weighted_values.sum(axis=0)
    return SelfAttention(
        queries=query[None],
        keys=keys,
        values=values,
        scores=scores[None],
        scaled_scores=scaled_scores[None],
        weights=weights[None],
        weighted_values=weighted_values[None],
        output=output[None],
    )


def self_attention(
    x: Floats, w_q: Floats, w_k: Floats, w_v: Floats, mask: Booleans | None = None
) -> SelfAttention:
    """The six steps for all words at once: softmax(Q K^T / sqrt(key_dim)) V.

    x (tokens, size), w_q and w_k (key_dim, size), w_v (value_dim, size). mask (query, key) is True
    where the query may attend to the key; None: everywhere.
    """
    queries, keys, values = linear(x, w_q), linear(x, w_k), linear(x, w_v)
    scores = queries @ keys.T
    scaled_scores = scores / math.sqrt(queries.shape[1])
    weights = softmax(masked(scaled_scores, mask))
    return SelfAttention(
        queries=queries,
        keys=keys,
        values=values,
        scores=scores,
        scaled_scores=scaled_scores,
        weights=weights,
        weighted_values=weights[:, :, None] * values,
        output=weights @ values,
    )


def causal_mask(tokens: int) -> Booleans:
    """Return the causal mask (query, key): True where the key is not later than the query."""
    return np.tri(tokens, dtype=np.bool_)


def multi_head_attention(
    x: Floats,
    w_q: Floats,
    w_k: Floats,
    w_v: Floats,
    w_o: Floats,
    num_heads: int,
    mask: Booleans | None = None,
) -> tuple[Floats, Floats]:
    """Self-attention with num_heads slices of the projections, combined by W^O.

    x (tokens, size); w_q, w_k and w_v (num_heads * head_dim, size); w_o (size, num_heads *
    head_dim). Head h has the rows h * head_dim to (h + 1) * head_dim - 1. The mask is that of
    ``self_attention``. Returns (output (tokens, size), weights (heads, query, key)).
    """
    slices = zip(*(np.split(w, num_heads) for w in (w_q, w_k, w_v)), strict=True)
    heads = [self_attention(x, query, key, value, mask) for query, key, value in slices]
    together = np.concatenate([head.output for head in heads], axis=-1)
    return linear(together, w_o), np.stack([head.weights for head in heads])
