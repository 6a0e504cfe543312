"""Layer norm and RMS norm: C++ against NumPy."""

from __future__ import annotations

from typing import Any

from attnengine import kernels
from attnengine.reference.norm import layer_norm, rms_norm
from benchmarks.kernels.case import THREADS, Case, measure, parametrize, random_arrays


def case(rows: int, size: int) -> Case:
    return Case(
        "layer norm",
        f"rows={rows} size={size}",
        random_arrays((rows, size), (size,), (size,)),
        lambda x, weight, bias: layer_norm(x, weight, bias, 1e-5),
        lambda x, weight, bias: kernels.layer_norm(x, weight, bias, 1e-5, num_threads=THREADS),
    )


def rms_case(rows: int, size: int) -> Case:
    return Case(
        "RMS norm",
        f"rows={rows} size={size}",
        random_arrays((rows, size), (size,)),
        lambda x, weight: rms_norm(x, weight, 1e-5),
        lambda x, weight: kernels.rms_norm(x, weight, 1e-5, num_threads=THREADS),
    )


CASES = [case(rows, 512) for rows in (1, 4, 8, 64)] + [case(256, 1024)]
CASES += [rms_case(1, 896), rms_case(64, 896)]


@parametrize(CASES)
def test_norm(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
