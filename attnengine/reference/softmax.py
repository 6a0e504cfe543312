"""Softmax, log-softmax and the k largest values."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats, Integers


def softmax(x: Floats) -> Floats:
    """exp(x) divided by its sum over the last axis; the result sums to 1.

    Subtracting the maximum first does not change the result and prevents overflow.
    """
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    weights: Floats = e / e.sum(axis=-1, keepdims=True)
    return weights


def log_softmax(x: Floats) -> Floats:
    """The logarithm of ``softmax(x)``; -inf stays -inf."""
    shifted = x - x.max(axis=-1, keepdims=True)
    log_probs: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return log_probs


def top_k(x: Floats, k: int) -> tuple[Floats, Integers]:
    """Return the k largest values of each row, largest first; ties go to the lower index.

    x (rows, n). Returns (values, indices), both (rows, k). Raises ValueError unless
    1 <= k <= n.
    """
    if not 1 <= k <= x.shape[-1]:
        raise ValueError(f"k is {k}, expected 1 to {x.shape[-1]}")
    indices = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, indices, axis=-1), indices


def target_log_probs(logits: Floats, targets: Integers) -> Floats:
    """Return the log-probability of one target token per row.

    logits (rows, vocab_size), targets (rows,). Returns (rows,).
    """
    log_probs: Floats = log_softmax(logits)[np.arange(len(targets)), targets]
    return log_probs


def log_softmax_top_k(logits: Floats, k: int) -> tuple[Floats, Integers]:
    """Return the k most probable tokens of each row and their log-probabilities.

    logits (rows, vocab_size). Returns (log_probs, tokens), both (rows, k), in the order of
    ``top_k(logits, k)``.
    """
    _, tokens = top_k(logits, k)
    return np.take_along_axis(log_softmax(logits), tokens, axis=-1), tokens
