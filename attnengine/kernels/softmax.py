"""Softmax, and what search and scoring read from logits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core

Floats = NDArray[np.float32]


def softmax(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """exp(x) over its sum in each row. x (rows, n); returns (rows, n)."""
    return _core.softmax(x, num_threads)


def log_softmax_top_k(
    logits: ArrayLike, k: int, *, num_threads: int = 1
) -> tuple[Floats, NDArray[np.int32]]:
    """The k most probable tokens of each row, best first; of equal ones the lower token.

    logits (rows, vocab_size), k from 1 to vocab_size. Returns (log_probs, tokens), both
    (rows, k). Where fewer than k logits are above -inf, the rest are token -1. A NaN among
    the logits of a row makes its log_probs NaN.
    """
    return _core.log_softmax_top_k(logits, k, num_threads)


def target_log_probs(
    logits: ArrayLike, targets: ArrayLike, *, num_threads: int = 1
) -> NDArray[np.float64]:
    """The log-probability of one token of each row, in double precision.

    logits (rows, vocab_size), targets (rows,). Returns (rows,). NaN where a logit of the row is
    NaN, or the largest is infinite.
    """
    return _core.target_log_probs(logits, targets, num_threads)
