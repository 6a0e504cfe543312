"""Functions of every element: C++ against NumPy, which has no erf: its gelu calls math.erf."""

from __future__ import annotations

from typing import Any

from attnengine.reference import activations as reference
from benchmarks.case import Case, measure, parametrize, random_arrays, threaded

NAMES = ("tanh", "sigmoid", "relu", "gelu", "gelu_tanh", "silu")


def case(name: str, rows: int, size: int) -> Case:
    return Case(
        name,
        f"rows={rows} size={size}",
        random_arrays((rows, size)),
        getattr(reference, name),
        threaded(name),
    )


CASES = [case(name, *size) for name in NAMES for size in [(8, 2048), (64, 2048)]]


@parametrize(CASES)
def test_activation(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
