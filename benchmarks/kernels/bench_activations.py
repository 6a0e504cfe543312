"""Elementwise functions: C++ against NumPy. NumPy has no erf, so its gelu calls math.erf."""

from __future__ import annotations

from typing import Any

from attnengine import kernels
from attnengine.reference import activations as reference
from benchmarks.kernels.case import THREADS, Case, measure, parametrize, random_arrays, threaded

NAMES = ("tanh", "sigmoid", "relu", "gelu", "gelu_tanh", "silu")


def case(name: str, rows: int, size: int) -> Case:
    return Case(
        name,
        f"rows={rows} size={size}",
        random_arrays((rows, size)),
        getattr(reference, name),
        threaded(name),
    )


def gated(rows: int, size: int) -> Case:
    return Case(
        "gated silu",
        f"rows={rows} size={size}",
        random_arrays((rows, 2 * size)),
        lambda both: reference.gated_activation(both, "silu"),
        lambda both: kernels.gated_activation(both, "silu", num_threads=THREADS),
    )


CASES = [case(name, *size) for name in NAMES for size in [(8, 2048), (64, 2048)]]
CASES += [gated(rows, 4864) for rows in (1, 64)]


@parametrize(CASES)
def test_activation(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
