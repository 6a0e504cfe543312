"""int4 linear layers: the kernel gives the bits of its NumPy twin on every instruction set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference.linear_int4 import HALF, linear_int4, quantise_int4
from tests.kernels.arrays import floats


def run(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, add: np.ndarray | None = None
) -> np.ndarray:
    return kernels.PackedLinear(weight, bias, precision="int4")(x, add=add, num_threads=2)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 13, 17, 100])
@pytest.mark.parametrize("size_in", [1, 3, 32, 33, 64, 65, 97, 130, 514])  # around half blocks
@pytest.mark.parametrize("size_out", [1, 16, 33, 100])
def test_the_bits_of_the_twin(
    rng: np.random.Generator, rows: int, size_in: int, size_out: int
) -> None:
    x, weight = floats(rng, rows, size_in), floats(rng, size_out, size_in)
    bias, add = floats(rng, size_out), floats(rng, rows, size_out)
    expected = linear_int4(x, weight, bias, add)
    assert run(x, weight, bias, add).tobytes() == expected.tobytes()


@pytest.mark.parametrize("scale", [1e-45, 1e-38, 1e-30, 1e-20, 1e18, 1e36])
def test_very_small_and_large_numbers(rng: np.random.Generator, scale: float) -> None:
    weight = floats(rng, 20, 200) * np.float32(scale)
    x = floats(rng, 5, 200)
    np.testing.assert_array_equal(run(x, weight), linear_int4(x, weight))


def test_halves_of_many_sizes(rng: np.random.Generator) -> None:
    """Half blocks of very different sizes: their steps are multiples of one scale, at least 1."""
    weight = floats(rng, 40, 8 * HALF) * np.repeat(np.float32(10.0) ** -np.arange(8), HALF)
    x = floats(rng, 3, 8 * HALF)
    np.testing.assert_array_equal(run(x, weight), linear_int4(x, weight))


@pytest.mark.parametrize("value", [0.0, 2.0, -3.0])
def test_equal_weights_are_exact(value: float) -> None:
    weight = np.full((3, 50), value, np.float32)
    np.testing.assert_allclose(run(np.eye(50, dtype=np.float32), weight), value, rtol=4e-7)


def test_weights_on_a_grid_are_exact(rng: np.random.Generator) -> None:
    """Weights on a 4-bit grid keep their values, up to the 8-bit rounding of steps and zeros."""
    levels = rng.integers(0, 16, (60, 8, HALF))
    levels[..., 0], levels[..., 1] = 0, 15
    steps, lows = rng.uniform(0.5, 1, (60, 8, 1)), rng.uniform(-15, 0, (60, 8, 1))
    weight = ((levels + lows) * steps).reshape(60, -1).astype(np.float32)
    integers, scales = quantise_int4(weight)
    # a step is off by at most 1 / 2 / 127, times 15; a zero is off by at most 1 / 32
    assert np.abs(integers * scales / 16 - weight).max() < 15 / 2 / 127 + 1 / 32


def test_error_against_exact_products(rng: np.random.Generator) -> None:
    x, weight = floats(rng, 50, 512), floats(rng, 300, 512)
    expected = x.astype(np.float64) @ weight.T
    error = np.sqrt(np.mean((run(x, weight) - expected) ** 2) / np.mean(expected**2))
    # 32 normal numbers span 4.1 on average, which is 15 steps; each gives a uniform error
    assert error < 4.1 / 15 / np.sqrt(12)


def test_the_largest_sums() -> None:
    """All products have one sign, so an overflow of 16 bits anywhere would show."""
    x = np.tile(np.float32([[1], [-1]]), (1, 700))
    weight = np.tile(np.float32([[1], [-1], [0.5]]), (1, 700))
    # a scale and each of the 11 additions are rounded
    np.testing.assert_allclose(run(x, weight), x.astype(np.float64) @ weight.T, rtol=15 * 2.0**-24)


@pytest.mark.parametrize("size_in", [24, 600, 1100])
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None], size_in: int
) -> None:
    x, bias = floats(rng, 26, size_in), floats(rng, 190)
    packed = kernels.PackedLinear(floats(rng, 190, size_in), bias, precision="int4")
    check_rows_independent(lambda i, threads: packed(x[i], "tanh", num_threads=threads), 26)


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
