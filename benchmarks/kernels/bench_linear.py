"""Products with a packed weight: C++ against NumPy."""

from __future__ import annotations

from typing import Any

from attnengine import kernels
from attnengine.reference.linear import linear
from benchmarks.kernels.case import THREADS, Arrays, Case, measure, parametrize, random_arrays

# Largest error of a product of two normal numbers; a sum has one product per input. int8 steps of
# 2.5 / 127 in both factors give an error of 1 % of the deviation, and int4 steps of 4 / 15 give
# 8 %. The largest of many errors is 6 times larger.
ERRORS = {"bfloat16": 0.06, "int8": 0.06, "int4": 0.5}


def case(rows: int, size_in: int, size_out: int, precision: str = "float32") -> Case:
    """NumPy multiplies in float32 in every precision of ours."""
    make = random_arrays((rows, size_in), (size_out, size_in), (size_out,))

    def arrays() -> Arrays:
        x, weight, bias = make()
        return x, weight, bias, kernels.PackedLinear(weight, bias, precision=precision)  # type: ignore[return-value]

    error = {"rtol": 0, "atol": ERRORS[precision] * size_in**0.5} if precision in ERRORS else {}
    return Case(
        "linear" if precision == "float32" else f"linear {precision}",
        f"rows={rows} {size_in}x{size_out}",
        arrays,
        lambda x, weight, bias, _: linear(x, weight, bias),
        lambda x, _, __, packed: packed(x, num_threads=THREADS),
        **error,
    )


SHAPES = [(512, 512), (512, 2048), (2048, 512), (768, 3072), (896, 4864), (512, 32000)]
ROWS = [1, 2, 3, 4, 5, 8, 16, 64, 256]
CASES = [case(rows, *shape) for shape in SHAPES for rows in ROWS]
for precision in ("bfloat16", "int8", "int4"):
    CASES += [case(rows, *shape, precision) for shape in SHAPES[::2] for rows in (1, 8, 64)]


@parametrize(CASES)
def test_linear(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
