"""Rows of a packed weight, as an embedding reads them: C++ against rows of a NumPy matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from attnengine import kernels, packing
from benchmarks.kernels.case import Arrays, Case, measure, parametrize, random_arrays


def case(rows: int, size: int, precision: str) -> Case:
    """Rows spread over a vocabulary of 32000."""
    make = random_arrays((32000, size))
    tokens = np.random.default_rng(0).integers(0, 32000, rows)

    def arrays() -> Arrays:
        (weight,) = make()
        return weight, kernels.PackedLinear(weight, precision=precision)  # type: ignore[return-value]

    # Half a step for numbers up to 6: an int8 step is 6 / 127, half a bfloat16 step 6 * 2 ** -8.
    error = {"float32": 0.0, "bfloat16": 6 * 2.0**-8, "int8": 3 / 127, "int4": 0.5}[precision]
    return Case(
        f"unpack {precision}",
        f"rows={rows} of {size}",
        arrays,
        lambda weight, _: weight[tokens],
        lambda _, packed: packed.unpack(tokens),
        rtol=0,
        atol=error,
    )


CASES = [
    case(rows, size, precision)
    for precision in packing.LAYOUTS
    for size in (512, 896)
    for rows in (1, 8, 512)
]


@parametrize(CASES)
def test_unpack(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
