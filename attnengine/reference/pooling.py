"""Pooling: turns the states of a sequence, (src, size), into one vector, (size,)."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.softmax import softmax


def mean(states: Floats) -> Floats:
    """The mean of all states."""
    pooled: Floats = states.mean(axis=0)
    return pooled


def weighted_mean(states: Floats) -> Floats:
    """The mean of all states, weighted by their positions 1, 2, ... (Muennighoff 2022)."""
    weights = np.arange(1, len(states) + 1, dtype=states.dtype)
    pooled: Floats = weights @ states / weights.sum()
    return pooled


def mean_sqrt(states: Floats) -> Floats:
    """The sum of all states over the square root of their number."""
    pooled: Floats = states.sum(axis=0) / np.sqrt(len(states), dtype=states.dtype)
    return pooled


def maximum(states: Floats) -> Floats:
    """The maximum of each column."""
    pooled: Floats = states.max(axis=0)
    return pooled


def first(states: Floats) -> Floats:
    """The state of the first position."""
    pooled: Floats = states[0]
    return pooled


def last(states: Floats, bidirectional: bool = False) -> Floats:
    """The state that has read the whole sequence.

    In a bidirectional network it is the forward half of the last position and the backward half
    of the first position.
    """
    if not bidirectional:
        pooled: Floats = states[-1]
        return pooled
    half = states.shape[1] // 2
    return np.concatenate([states[-1, :half], states[0, half:]])


def attention_pool(states: Floats, query: Floats) -> tuple[Floats, Floats]:
    """The mean of the states, weighted by softmax(states @ query).

    states (src, size), query (size,). Returns (pooled (size,), weights (src,)); the weights
    sum to 1.
    """
    weights = softmax(states @ query)
    return weights @ states, weights


def pool(
    states: Floats, how: str, query: Floats | None = None, bidirectional: bool = False
) -> Floats:
    """Pool states (src, size) by one of the functions above: (size,).

    ``how`` is "mean", "max", "first", "last", "attention", "weighted_mean" or "mean_sqrt".
    Raises ValueError for another name and for "attention" without a query.
    """
    if how == "attention":
        if query is None:
            raise ValueError("query is None, expected (size,) for pooling by attention")
        return attention_pool(states, query)[0]
    if how == "last":
        return last(states, bidirectional)
    simple = {
        "mean": mean,
        "max": maximum,
        "first": first,
        "weighted_mean": weighted_mean,
        "mean_sqrt": mean_sqrt,
    }
    if how not in simple:
        raise ValueError(
            f"pooling is {how!r}, expected one of {', '.join(simple)}, last, attention"
        )
    return simple[how](states)
