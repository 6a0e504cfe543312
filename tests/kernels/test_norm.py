from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference.norm import layer_norm as reference
from attnengine.reference.norm import rms_norm


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 17, 64])
@pytest.mark.parametrize("size", [1, 7, 8, 16, 33, 512, 1000])
@pytest.mark.parametrize("with_bias", [False, True])
def test_layer_norm(rng: np.random.Generator, rows: int, size: int, with_bias: bool) -> None:
    x = (rng.normal(size=(rows, size)) * 3 + 1).astype(np.float32)
    weight, bias = rng.normal(size=(2, size)).astype(np.float32)
    bias = bias if with_bias else None

    y = kernels.layer_norm(x, weight, bias, 1e-5)

    # values reach 15; the mean is off by about 1e-6, which scale and weight multiply
    expected = reference(x.astype(np.float64), weight, bias, 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=5e-6)


def test_eps_is_added_to_the_variance() -> None:
    y = kernels.layer_norm([[-1.0, 1.0]], [1, 1], eps=3.0)
    np.testing.assert_allclose(y, [[-0.5, 0.5]], rtol=1e-6)


def test_a_row_of_equal_values_is_the_bias() -> None:
    y = kernels.layer_norm(np.full((2, 19), 7.25), np.ones(19), np.arange(19))
    np.testing.assert_array_equal(y, [np.arange(19)] * 2)


def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None]
) -> None:
    x, weight = rng.normal(size=(9, 16_001)), rng.normal(size=16_001)
    check_rows_independent(
        lambda i, threads: kernels.layer_norm(x[i], weight, weight, num_threads=threads), 9
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_in_gives_nan_out(rng: np.random.Generator, bad: float) -> None:
    x = rng.normal(size=(3, 20))
    x[1, 19] = bad
    y = kernels.layer_norm(x, np.ones(20))
    assert np.isnan(y[1]).any()
    assert np.isfinite(y[[0, 2]]).all()


def test_sizes_of_zero() -> None:
    assert kernels.layer_norm(np.zeros((0, 4)), np.ones(4)).shape == (0, 4)
    assert kernels.layer_norm(np.zeros((4, 0)), np.ones(0)).shape == (4, 0)


def test_names_the_argument_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"weight.shape\[0\] is 3, expected 4"):
        kernels.layer_norm(np.zeros((2, 4)), np.ones(3))
    with pytest.raises(ValueError, match=r"bias.shape\[0\] is 3, expected 4"):
        kernels.layer_norm(np.zeros((2, 4)), np.ones(4), np.ones(3))


@pytest.mark.parametrize("rows", [1, 3, 8, 17])
@pytest.mark.parametrize("size", [1, 7, 16, 33, 512])
def test_rms_norm(rng: np.random.Generator, rows: int, size: int) -> None:
    x = (rng.normal(size=(rows, size)) * 3 + 1).astype(np.float32)
    weight = rng.normal(size=size).astype(np.float32)
    expected = rms_norm(x.astype(np.float64), weight, 1e-5)
    # a sum of squares and one product round a few times
    np.testing.assert_allclose(kernels.rms_norm(x, weight, 1e-5), expected, rtol=2e-6)


def test_rms_norm_adds_eps_to_the_mean_square() -> None:
    np.testing.assert_allclose(kernels.rms_norm([[-1.0, 1.0]], [1, 2], eps=3.0), [[-0.5, 1.0]])
    with pytest.raises(ValueError, match=r"weight.shape\[0\] is 3, expected 4"):
        kernels.rms_norm(np.zeros((2, 4)), np.ones(3))


def test_rms_norm_of_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None]
) -> None:
    x, weight = rng.normal(size=(9, 16_001)), rng.normal(size=16_001)
    check_rows_independent(
        lambda i, threads: kernels.rms_norm(x[i], weight, num_threads=threads), 9
    )
