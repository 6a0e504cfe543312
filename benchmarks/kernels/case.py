"""A kernel benchmark calls NumPy, attnengine and optionally Cython with the same arrays.

OPENBLAS_NUM_THREADS sets the threads of NumPy's matrix products when NumPy is first imported, and
attnengine gets the same number. Run the files from the root of the repository:
``OPENBLAS_NUM_THREADS=1 python -m pytest benchmarks/kernels/bench_*.py``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

if "OPENBLAS_NUM_THREADS" not in os.environ:
    if "numpy" in sys.modules:
        raise RuntimeError("OPENBLAS_NUM_THREADS is not set, expected the number of threads")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine import kernels

THREADS = int(os.environ["OPENBLAS_NUM_THREADS"])

Floats = NDArray[np.float32]
Arrays = tuple[Floats, ...]


@dataclass(frozen=True)
class Case:
    """One operation at one size."""

    operation: str
    size: str
    arrays: Callable[[], Arrays] = field(repr=False)
    numpy: Callable[..., Any] = field(repr=False)
    attnengine: Callable[..., Any] = field(repr=False)
    # both sides round sums of up to 2048 terms of about 1, in different orders
    rtol: float = 1e-4
    atol: float = 1e-4
    cython: Callable[..., Any] | None = None

    def __str__(self) -> str:
        return f"{self.operation} {self.size}"

    def implementations(self) -> dict[str, Callable[..., Any]]:
        """name -> implementation: NumPy first, and Cython if it has the kernel."""
        found = {"numpy": self.numpy, "attnengine": self.attnengine}
        return found if self.cython is None else {**found, "cython": self.cython}

    def calls(self) -> dict[str, Callable[[], Any]]:
        """name -> call of each implementation, after a check that their results are equal."""
        arrays = self.arrays()
        calls: dict[str, Callable[[], Any]] = {
            name: partial(run, *arrays) for name, run in self.implementations().items()
        }
        expected, *others = (as_tuple(call()) for call in calls.values())
        for results in others:
            for wanted, result in zip(expected, results, strict=True):
                np.testing.assert_allclose(result, wanted, rtol=self.rtol, atol=self.atol)
        return calls


def as_tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def random_arrays(*shapes: tuple[int, ...], scale: float = 1.0) -> Callable[[], Arrays]:
    """A function that makes normal float32 arrays of these shapes, the same in every run."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        return tuple((scale * rng.normal(size=shape)).astype(np.float32) for shape in shapes)

    return make


def threaded(name: str, **options: Any) -> Callable[..., Any]:
    """The kernel of this name on THREADS threads."""
    kernel = getattr(kernels, name)
    return lambda *arrays: kernel(*arrays, **options, num_threads=THREADS)


def measure(benchmark: Any, case: Case, name: str) -> None:
    """Time one implementation with pytest-benchmark, in one group with the others."""
    benchmark.group = f"{case}, {kernels.isa()}, threads: {THREADS}"
    benchmark(case.calls()[name])


def parametrize(cases: list[Case]) -> Callable[[Any], Any]:
    """Parametrise a benchmark with every case and every implementation."""
    rows = [
        pytest.param(case, name, id=f"{case}-{name}")
        for case in cases
        for name in case.implementations()
    ]
    return pytest.mark.parametrize(("case", "name"), rows)
