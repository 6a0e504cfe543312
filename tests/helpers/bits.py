"""Checks that results have the same bits in any batch, order and number of threads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import attnengine as ae


def check_same_bits(
    path: Path,
    texts: list[str],
    *,
    precision: str = "float32",
    cache_precision: str | None = None,
    **options: Any,
) -> None:
    """Compare texts alone and together, in two orders, batch sizes and numbers of threads."""
    models = {
        threads: ae.load(
            path, precision=precision, cache_precision=cache_precision, num_threads=threads
        )
        for threads in (1, 2)
    }

    def outputs(order: list[int], size: int, threads: int) -> list[str]:
        chosen = [texts[i] for i in order]
        results = models[threads].translate(chosen, max_batch_size=size, **options)
        found = dict(zip(order, results, strict=True))
        return [json.dumps(found[i].to_dict()) for i in range(len(texts))]

    usual = list(range(len(texts)))
    shuffled = [int(i) for i in np.random.default_rng(0).permutation(len(texts))]
    expected = outputs(usual, 1, 1)
    for order in (usual, shuffled):
        for size in (7, 64):
            for threads in (1, 2):
                assert outputs(order, size, threads) == expected
