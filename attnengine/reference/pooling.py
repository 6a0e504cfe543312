"""Pooling: turns the states of a sequence, (src, size), into one vector, (size,)."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.softmax import softmax


def mean(states: Floats) -> Floats:
    """The mean of all states."""
    pooled: Floats = states.mean(axis=0)
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
    """Pool states (src, size) by "mean", "max", "first", "last" or "attention": (size,).

    Raises ValueError for another name and for "attention" without a query.
    """
    if how == "attention":
        if query is None:
            raise ValueError("query is None, expected (size,) for pooling by attention")
        return attention_pool(states, query)[0]
    if how == "last":
        return last(states, bidirectional)
    simple = {"mean": mean, "max": maximum, "first": first}
    if how not in simple:
        raise ValueError(
            f"pooling is {how!r}, expected one of {', '.join(simple)}, last, attention"
        )
    return simple[how](states)
