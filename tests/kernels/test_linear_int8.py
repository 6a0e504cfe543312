"""int8 linear layers: the kernel gives the bits of its NumPy twin on every instruction set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.quantisation import BLOCK, linear_int8, quantise
from tests.kernels.arrays import floats


def run(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, add: np.ndarray | None = None
) -> np.ndarray:
    return kernels.PackedLinear(weight, bias, precision="int8")(x, add=add, num_threads=2)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 13, 17, 100])
@pytest.mark.parametrize("size_in", [1, 3, 63, 64, 65, 130, 514])
@pytest.mark.parametrize("size_out", [1, 16, 33, 100])
def test_the_bits_of_the_twin(
    rng: np.random.Generator, rows: int, size_in: int, size_out: int
) -> None:
    x, weight = floats(rng, rows, size_in), floats(rng, size_out, size_in)
    bias, add = floats(rng, size_out), floats(rng, rows, size_out)
    expected = linear_int8(x, weight, bias, add)
    assert run(x, weight, bias, add).tobytes() == expected.tobytes()


@pytest.mark.parametrize("scale", [1e-45, 1e-38, 1e-30, 1e-20, 1e18])
def test_very_small_and_large_numbers(rng: np.random.Generator, scale: float) -> None:
    x = floats(rng, 5, 200) * np.float32(scale)
    weight = floats(rng, 20, 200)
    np.testing.assert_array_equal(run(x, weight), linear_int8(x, weight))
    np.testing.assert_array_equal(run(weight, x), linear_int8(weight, x))


def test_blocks_of_zeros(rng: np.random.Generator) -> None:
    x, weight = floats(rng, 3, 3 * BLOCK), floats(rng, 20, 3 * BLOCK)
    x[1, BLOCK : 2 * BLOCK] = 0
    weight[4] = 0
    y = run(x, weight)
    np.testing.assert_array_equal(y, linear_int8(x, weight))
    assert np.isfinite(y).all()
    assert not y[:, 4].any()


def test_the_largest_sums(rng: np.random.Generator) -> None:
    """All products have one sign, so an overflow of 16 bits anywhere would show."""
    x = np.tile(np.float32([[1], [-1]]), (1, 700))
    weight = np.tile(np.float32([[1], [-1], [0.5]]), (1, 700))
    expected = x.astype(np.float64) @ weight.T
    # 0.5 and 1 are 127 steps; a scale and each of the 11 additions are rounded
    np.testing.assert_allclose(run(x, weight), expected, rtol=14 * 2.0**-24)


@pytest.mark.parametrize("half", [0.5, 1.5, 2.5, -0.5, -1.5, -2.5])
def test_half_way_rounds_to_even(half: float) -> None:
    x = np.float32([[127, half]])
    values, scales = quantise(x)
    assert values[0, 0, :2].tolist() == [127, round(half)]
    assert scales == 1
    np.testing.assert_array_equal(run(x, np.float32([[0, 127]])), [[127 * round(half)]])


def test_error_against_exact_products(rng: np.random.Generator) -> None:
    """Both factors are rounded to 1 / 127 of the largest of 64 normal numbers."""
    x, weight = floats(rng, 50, 512), floats(rng, 300, 512)
    expected = x.astype(np.float64) @ weight.T
    error = np.sqrt(np.mean((run(x, weight) - expected) ** 2) / np.mean(expected**2))
    # the largest is about 2.5: steps of 0.02, uniform errors of 0.02 / sqrt(12) in each factor
    assert error < 2.5 / 127 / np.sqrt(12) * np.sqrt(2) * 1.1


@pytest.mark.parametrize("size_in", [24, 600, 1100])
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None], size_in: int
) -> None:
    x, bias = floats(rng, 26, size_in), floats(rng, 190)
    packed = kernels.PackedLinear(floats(rng, 190, size_in), bias, precision="int8")
    check_rows_independent(lambda i, threads: packed(x[i], "tanh", num_threads=threads), 26)


@pytest.mark.parametrize("rows", [120, 250])  # more than one block of rows
@pytest.mark.parametrize("size_out", [40, 300])  # threads share rows or outputs
def test_many_rows_have_the_same_bits_as_few(
    rng: np.random.Generator, rows: int, size_out: int
) -> None:
    x = floats(rng, rows, 1030)
    packed = kernels.PackedLinear(floats(rng, size_out, 1030), precision="int8")
    together = packed(x, num_threads=2)
    apart = np.concatenate([packed(x[i : i + 1]) for i in range(rows)])
    assert together.tobytes() == apart.tobytes()


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "silu"])
def test_activation_of_the_sum(rng: np.random.Generator, activation: str) -> None:
    x, weight, bias = floats(rng, 5, 20), floats(rng, 35, 20), floats(rng, 35)
    y = kernels.PackedLinear(weight, bias, precision="int8")(x, activation)
    expected = ACTIVATIONS[activation](linear_int8(x, weight, bias).astype(np.float64))
    np.testing.assert_allclose(y, expected, rtol=2e-6, atol=1e-6)  # tolerance of float32 layers


def test_sizes_of_zero() -> None:
    zeros = np.zeros
    assert run(zeros((0, 3)), zeros((4, 3))).shape == (0, 4)
    assert run(zeros((2, 3)), zeros((0, 3))).shape == (2, 0)
    np.testing.assert_array_equal(run(zeros((2, 0)), zeros((3, 0)), [1, 2, 3]), [[1, 2, 3]] * 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_stays_in_its_row(rng: np.random.Generator, bad: float) -> None:
    x, weight = floats(rng, 14, 140), floats(rng, 20, 140)
    x[3, 7] = bad
    y = run(x, weight)
    assert np.isnan(y[3]).all()
    np.testing.assert_array_equal(np.delete(y, 3, axis=0), run(np.delete(x, 3, axis=0), weight))
    weight[5, 139] = bad
    y = run(x, weight)
    assert np.isnan(y[:, 5]).all()
    assert np.isfinite(np.delete(np.delete(y, 3, axis=0), 5, axis=1)).all()


def test_an_unknown_precision_is_named() -> None:
    with pytest.raises(ValueError, match='precision is "int7", expected one of float32, bfloat16'):
        kernels.PackedLinear([[1]], precision="int7")
