from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.linear import linear as reference
from tests.kernels.arrays import floats


def rounding(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Upper bound of the error from rounding every product and every addition."""
    terms = np.abs(x).astype(np.float64) @ np.abs(weight).T + np.abs(bias)
    return (x.shape[1] + 2) * 2.0**-24 * terms


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 17, 64])
@pytest.mark.parametrize(("size_in", "size_out"), [(1, 1), (3, 5), (16, 16), (31, 33), (64, 80)])
def test_linear(rng: np.random.Generator, rows: int, size_in: int, size_out: int) -> None:
    x, weight, bias = (floats(rng, *s) for s in [(rows, size_in), (size_out, size_in), (size_out,)])

    y = kernels.linear(x, weight, bias)

    assert y.dtype == np.float32
    expected = reference(x.astype(np.float64), weight, bias)
    assert np.all(np.abs(y - expected) <= rounding(x, weight, bias))


@pytest.mark.parametrize("rows", [1, 6, 13])
@pytest.mark.parametrize("size_in", [5, 512, 1025])  # one block of inputs and several
def test_what_is_there_is_added(rng: np.random.Generator, rows: int, size_in: int) -> None:
    x, weight, bias = (floats(rng, *s) for s in [(rows, size_in), (35, size_in), (35,)])
    before = floats(rng, rows, 35)

    y = kernels.PackedLinear(weight, bias)(x, "relu", add=before, num_threads=2)

    expected = np.maximum(before + reference(x.astype(np.float64), weight, bias), 0)
    assert np.all(np.abs(y - expected) <= rounding(x, weight, bias) + 2.0**-23 * np.abs(before))


@pytest.mark.parametrize("rows", [1, 2, 3, 6, 13, 100, 200])
@pytest.mark.parametrize("size_in", [511, 512, 513, 1025])  # around blocks of inputs
@pytest.mark.parametrize("size_out", [16, 100])
def test_long_sums(rng: np.random.Generator, rows: int, size_in: int, size_out: int) -> None:
    x, weight, bias = (floats(rng, *s) for s in [(rows, size_in), (size_out, size_in), (size_out,)])

    y = kernels.PackedLinear(weight, bias)(x, num_threads=2)

    expected = reference(x.astype(np.float64), weight, bias)
    assert np.all(np.abs(y - expected) <= rounding(x, weight, bias))


@pytest.mark.parametrize(("size_in", "size_out"), [(24, 96), (600, 190), (1100, 80)])
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator,
    check_rows_independent: Callable[..., None],
    size_in: int,
    size_out: int,
) -> None:
    rows = 26
    x, weight, bias = (floats(rng, *s) for s in [(rows, size_in), (size_out, size_in), (size_out,)])
    packed = kernels.PackedLinear(weight, bias)

    check_rows_independent(lambda i, threads: packed(x[i], "tanh", num_threads=threads), rows)


@pytest.mark.parametrize("rows", [120, 250])  # more than one block of rows
def test_many_rows_have_the_same_bits_as_few(rng: np.random.Generator, rows: int) -> None:
    x, weight = floats(rng, rows, 520), floats(rng, 40, 520)
    packed = kernels.PackedLinear(weight)

    together = packed(x, num_threads=2)

    apart = np.concatenate([packed(x[i : i + 1]) for i in range(rows)])
    assert together.tobytes() == apart.tobytes()


def test_an_output_has_the_same_bits_among_any_others(rng: np.random.Generator) -> None:
    x, weight = floats(rng, 3, 700), floats(rng, 100, 700)
    together = kernels.linear(x, weight)

    for n in (1, 15, 16, 17, 33, 64, 65):
        np.testing.assert_array_equal(kernels.linear(x, weight[:n]), together[:, :n])


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "gelu_tanh", "silu"])
@pytest.mark.parametrize("rows", [1, 5, 40])
def test_activation_of_the_sum(rng: np.random.Generator, activation: str, rows: int) -> None:
    x, weight, bias = floats(rng, rows, 20), floats(rng, 35, 20), floats(rng, 35)

    y = kernels.linear(x, weight, bias, activation)

    expected = ACTIVATIONS[activation](reference(x.astype(np.float64), weight, bias))
    # activations have slopes below 1.2 and inputs below 30: rounding() is below 1e-5 here
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-5)


def test_sizes_of_zero() -> None:
    zeros = np.zeros
    assert kernels.linear(zeros((0, 3)), zeros((4, 3))).shape == (0, 4)
    assert kernels.linear(zeros((2, 3)), zeros((0, 3))).shape == (2, 0)
    np.testing.assert_array_equal(
        kernels.linear(zeros((2, 0)), zeros((3, 0)), [1, 2, 3]), [[1, 2, 3]] * 2
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_stays_in_its_row(rng: np.random.Generator, bad: float) -> None:
    x, weight = floats(rng, 14, 40), floats(rng, 20, 40)
    x[3, 7] = bad
    y = kernels.linear(x, weight)
    assert not np.isfinite(y[3]).any()
    assert np.isfinite(np.delete(y, 3, axis=0)).all()


def test_other_types_and_orders_are_converted(rng: np.random.Generator) -> None:
    x, weight = rng.integers(-5, 5, (3, 8)), rng.integers(-5, 5, (6, 8)).astype(np.float64)
    expected = x @ weight.T
    np.testing.assert_array_equal(kernels.linear(x.astype(np.int64), weight), expected)
    np.testing.assert_array_equal(kernels.linear(np.asfortranarray(x), weight[:, ::1]), expected)
    np.testing.assert_array_equal(kernels.linear(x.tolist(), weight.tolist()), expected)
    unaligned = np.zeros(x.size * 4 + 1, np.uint8)[1:].view(np.float32).reshape(x.shape)
    unaligned[:] = x
    np.testing.assert_array_equal(kernels.linear(unaligned, weight), expected)


def test_calls_from_many_threads_at_once(rng: np.random.Generator) -> None:
    x, packed = floats(rng, 8, 64), kernels.PackedLinear(floats(rng, 64, 64))
    expected = packed(x)
    with ThreadPoolExecutor(4) as pool:
        for y in pool.map(lambda _: packed(x, num_threads=2), range(50)):
            np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    ("x", "weight", "bias", "message"),
    [
        ((2, 3), (5, 4), None, r"x.shape\[1\] is 3, expected 4"),
        ((3,), (5, 3), None, r"x.ndim is 1, expected 2"),
        ((2, 3), (3,), None, r"weight.ndim is 1, expected 2"),
        ((2, 3), (5, 3), (4,), r"bias.shape\[0\] is 4, expected 5"),
        ((2, 3), (5, 3), (5, 1), r"bias.ndim is 2, expected 1"),
    ],
)
def test_names_the_argument_that_does_not_fit(
    x: tuple[int, ...], weight: tuple[int, ...], bias: tuple[int, ...] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kernels.linear(np.zeros(x), np.zeros(weight), None if bias is None else np.zeros(bias))


def test_names_an_unknown_activation() -> None:
    with pytest.raises(ValueError, match='activation is "swish", expected one of none,'):
        kernels.linear([[1]], [[1]], None, "swish")


def test_threads_are_at_least_one() -> None:
    with pytest.raises(ValueError, match="num_threads is 0, expected 1 to 1024"):
        kernels.linear([[1]], [[1]], num_threads=0)
