"""Rotary positions: C++ against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from attnengine import kernels
from attnengine.reference.rotary import rotate
from benchmarks.kernels.case import THREADS, Case, measure, parametrize, random_arrays


def case(rows: int, heads: int, head_dim: int) -> Case:
    positions = np.arange(rows)
    frequencies = (10_000.0 ** -(np.arange(0, head_dim, 2) / head_dim)).astype(np.float32)
    return Case(
        "rotary",
        f"rows={rows} heads={heads} head_dim={head_dim}",
        random_arrays((rows, heads, head_dim)),
        lambda x: rotate(x, positions, frequencies),
        lambda x: kernels.rotary(x, positions, frequencies, num_threads=THREADS),
    )


CASES = [case(1, 14, 64), case(8, 14, 64), case(64, 32, 128)]


@parametrize(CASES)
def test_rotary(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
