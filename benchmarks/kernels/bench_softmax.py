"""Softmax, and log-softmax with the best k in one pass: C++ against NumPy.

NumPy finds the best k with ``argpartition``, which is many times faster than the reference's full
sort.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from attnengine.reference.softmax import log_softmax, softmax, target_log_probs
from benchmarks.kernels.case import Case, Floats, measure, parametrize, random_arrays, threaded


def log_softmax_top_k(logits: Floats, k: int) -> tuple[Any, Any]:
    log_probs = log_softmax(logits)
    tokens = np.argpartition(-log_probs, k - 1, axis=-1)[:, :k]
    best = np.take_along_axis(log_probs, tokens, axis=-1)
    order = np.argsort(-best, axis=-1)
    return np.take_along_axis(best, order, axis=-1), np.take_along_axis(tokens, order, axis=-1)


def softmax_case(rows: int, n: int) -> Case:
    return Case(
        "softmax", f"rows={rows} n={n}", random_arrays((rows, n)), softmax, threaded("softmax")
    )


def top_k_case(rows: int, n: int, k: int) -> Case:
    return Case(
        "log-softmax and top-k",
        f"rows={rows} n={n} k={k}",
        random_arrays((rows, n)),
        lambda logits: log_softmax_top_k(logits, k),
        threaded("log_softmax_top_k", k=k),
    )


def target_case(rows: int, n: int) -> Case:
    targets = np.arange(rows) % n
    return Case(
        "log-softmax of targets",
        f"rows={rows} n={n}",
        random_arrays((rows, n)),
        lambda logits: target_log_probs(logits, targets),
        threaded("target_log_probs", targets=targets),
    )


CASES = [softmax_case(*size) for size in [(1, 1000), (8, 100), (64, 1000), (8, 32000)]]
CASES += [top_k_case(*size) for size in [(1, 32000, 4), (8, 32000, 8), (8, 32000, 256)]]
CASES += [target_case(*size) for size in [(1, 32000), (64, 32000)]]


@parametrize(CASES)
def test_softmax(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
