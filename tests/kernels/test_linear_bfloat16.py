"""bfloat16 linear layers: both factors are rounded, and the float32 sums equal the twin's bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference.quantisation import bfloat16, linear_bfloat16
from tests.kernels.arrays import floats


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17, 100])
@pytest.mark.parametrize("size_in", [1, 2, 3, 63, 512, 513, 1027])  # around pairs and blocks
@pytest.mark.parametrize("size_out", [1, 16, 33, 100])
def test_the_bits_of_the_twin(
    rng: np.random.Generator, rows: int, size_in: int, size_out: int
) -> None:
    x, weight = floats(rng, rows, size_in), floats(rng, size_out, size_in)
    bias, add = floats(rng, size_out), floats(rng, rows, size_out)
    packed = kernels.PackedLinear(weight, bias, precision="bfloat16")
    y = packed(x, "relu", add=add, num_threads=2)
    expected = linear_bfloat16(x, weight, bias, add)
    np.testing.assert_array_equal(y, np.maximum(expected, 0))


def test_both_sides_are_rounded(rng: np.random.Generator) -> None:
    x, weight = floats(rng, 3, 40), floats(rng, 5, 40)
    y = kernels.PackedLinear(weight, precision="bfloat16")(x)
    sums = bfloat16(x).astype(np.float64) @ bfloat16(weight).astype(np.float64).T
    np.testing.assert_allclose(y, sums, atol=40 * 2.0**-24)  # 40 additions of numbers of about 1
    assert np.abs(y - x @ bfloat16(weight).T).max() > 2.0**-10


def weights_of(values: np.ndarray) -> np.ndarray:
    """The numbers as a layer rounds them when they are its weights."""
    return kernels.PackedLinear(values[:, None], precision="bfloat16")([[1.0]])[0]


def inputs_of(values: np.ndarray, at: int) -> np.ndarray:
    """The numbers as a layer rounds them when they are its inputs; `at` is the place in a pair."""
    layer = kernels.PackedLinear(np.eye(2)[[at]], precision="bfloat16")
    x = np.zeros((len(values), 2), np.float32)
    x[:, at] = values
    return layer(x)[:, 0]


@pytest.mark.parametrize("kept", [weights_of, lambda x: inputs_of(x, 0), lambda x: inputs_of(x, 1)])
def test_rounding(kept: Callable[[np.ndarray], np.ndarray]) -> None:
    every = np.arange(1 << 16, dtype=np.uint32) << 16
    values = np.concatenate([every + low for low in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF)])
    values = values.astype(np.uint32).view(np.float32)
    values = values[~(np.abs(values) < 2.0**-126)]  # AVX-512 BF16 products treat them as 0
    np.testing.assert_array_equal(kept(values), bfloat16(values))


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (1 + 2.0**-8, 1),  # half-way: to even
        (1 + 3 * 2.0**-8, 1 + 2.0**-6),
        (3.4e38, np.inf),
        (-3.4e38, -np.inf),
        (2.0**-140, 0),
        (np.inf, np.inf),
        (np.nan, np.nan),
    ],
)
def test_rounded_numbers(value: float, rounded: float) -> None:
    np.testing.assert_array_equal(weights_of(np.float32([value])), [rounded])
    np.testing.assert_array_equal(bfloat16(np.float32([value])), np.float32([rounded]))


def test_a_nan_of_low_bits_stays_nan() -> None:
    values = np.uint32([0x7F800001, 0xFF800001, 0x7FFFFFFF]).view(np.float32)
    assert np.isnan(weights_of(values)).all()
    assert np.isnan(inputs_of(values, 0)).all()
    assert np.isnan(inputs_of(values, 1)).all()
    assert np.isnan(bfloat16(values)).all()


@pytest.mark.parametrize("size_in", [25, 600, 1101])
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None], size_in: int
) -> None:
    x, bias = floats(rng, 26, size_in), floats(rng, 190)
    packed = kernels.PackedLinear(floats(rng, 190, size_in), bias, precision="bfloat16")
    check_rows_independent(lambda i, threads: packed(x[i], "tanh", num_threads=threads), 26)


def test_sizes_of_zero() -> None:
    def run(x: np.ndarray, weight: np.ndarray, bias: list[float] | None = None) -> np.ndarray:
        return kernels.PackedLinear(weight, bias, precision="bfloat16")(x)

    zeros = np.zeros
    assert run(zeros((0, 3)), zeros((4, 3))).shape == (0, 4)
    assert run(zeros((2, 3)), zeros((0, 3))).shape == (2, 0)
    np.testing.assert_array_equal(run(zeros((2, 0)), zeros((3, 0)), [1, 2, 3]), [[1, 2, 3]] * 2)


@pytest.mark.parametrize("size_in", [40, 41])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_stays_in_its_row(
    rng: np.random.Generator, bad: float, size_in: int
) -> None:
    x, weight = floats(rng, 14, size_in), floats(rng, 20, size_in)
    x[3, 7] = bad
    y = kernels.PackedLinear(weight, precision="bfloat16")(x)
    assert not np.isfinite(y[3]).any()
    assert np.isfinite(np.delete(y, 3, axis=0)).all()
