from __future__ import annotations

import numpy as np
import pytest

from attnengine import InvalidArgument, kernels
from attnengine.reference import activations as reference

NAMES = ["tanh", "sigmoid", "relu", "gelu", "gelu_tanh", "silu"]

# Largest error of each activation, in float32 units in the last place.
ULPS = {"tanh": 5, "sigmoid": 3, "silu": 4, "relu": 0}


def sweep() -> np.ndarray:
    """Numbers of every magnitude: dense around zero, then every exponent, with both signs."""
    rng = np.random.default_rng(1)
    powers = np.exp2(rng.uniform(-30, 6.4, 100_000))
    x = np.concatenate([np.linspace(-20, 20, 100_001), powers, -powers, [0.0]])
    return x.astype(np.float32)


def units(y: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The error in units in the last place; subnormal numbers use the smallest normal unit."""
    tiny = np.finfo(np.float32).tiny
    spacing = np.spacing(np.maximum(np.abs(expected), tiny).astype(np.float32))
    return np.abs(y - expected) / spacing.astype(np.float64)


@pytest.mark.parametrize("name", ULPS)
def test_accuracy_in_units_in_the_last_place(name: str) -> None:
    x = sweep()
    # below -87 exp(-x) overflows and the result is 0; the true value is below 2 ** -125
    x = x[x > -87.0]
    exact = {
        "tanh": lambda v: np.tanh(v),
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "silu": lambda v: v / (1 + np.exp(-v)),
        "relu": lambda v: np.maximum(v, 0),
    }[name](x.astype(np.float64))

    y = getattr(kernels, name)(x)

    worst = np.argmax(units(y, exact))
    assert units(y, exact)[worst] <= ULPS[name] + 0.5, (x[worst], y[worst], exact[worst])


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh"])
def test_gelu_has_the_accuracy_of_its_factor(name: str) -> None:
    x = sweep()[::5]
    expected = getattr(reference, name)(x.astype(np.float64))
    # 0.5 * x * (1 + f): f near -1 has an absolute error of about two units of 2 ** -24
    error = np.abs(getattr(kernels, name)(x) - expected)
    assert np.all(error <= 4 * 2.0**-24 * np.abs(x))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (16,), (3, 5), (2, 3, 11)])
def test_keeps_the_shape(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> None:
    x = rng.normal(size=shape).astype(np.float32)
    y = getattr(kernels, name)(x)
    assert y.shape == shape
    np.testing.assert_allclose(y, getattr(reference, name)(x), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_an_element_has_the_same_bits_at_any_place(rng: np.random.Generator, name: str) -> None:
    x = np.concatenate([rng.normal(size=200_000) * 4, [0, -0.0, 30, -30, 100, -100]])
    whole = getattr(kernels, name)(x)
    assert getattr(kernels, name)(x, num_threads=2).tobytes() == whole.tobytes()
    for begin in range(1, 20):
        assert getattr(kernels, name)(x[begin:300]).tobytes() == whole[begin:300].tobytes()
        assert getattr(kernels, name)(x[-begin:]).tobytes() == whole[-begin:].tobytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [0, 5, 8, 18])
def test_nan_in_gives_nan_out(name: str, place: int) -> None:
    x = np.ones(19, np.float32)
    x[place] = np.nan
    np.testing.assert_array_equal(np.isnan(getattr(kernels, name)(x)), np.isnan(x))


@pytest.mark.parametrize(
    ("name", "low", "high"), [("tanh", -1, 1), ("sigmoid", 0, 1), ("relu", 0, np.inf)]
)
def test_limits(name: str, low: float, high: float) -> None:
    x = np.array([-np.inf, -3e38, -200, 200, 3e38, np.inf], np.float32)
    y = getattr(kernels, name)(x)
    np.testing.assert_array_equal(y[:3], low)
    np.testing.assert_array_equal(y[3:], high if name != "relu" else x[3:])


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_stays_within_its_limits(name: str) -> None:
    y = getattr(kernels, name)(sweep())
    assert y.min() >= (-1 if name == "tanh" else 0)
    assert y.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_nothing(name: str) -> None:
    assert getattr(kernels, name)(np.zeros((3, 0))).shape == (3, 0)


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("size", [1, 7, 16, 35])
@pytest.mark.parametrize("name", ["silu", "gelu_tanh", "none"])
def test_gated_activation(rng: np.random.Generator, rows: int, size: int, name: str) -> None:
    both = rng.normal(size=(rows, 2 * size)).astype(np.float32)

    y = kernels.gated_activation(both, name, num_threads=2)

    reference_name = {"none": "linear"}.get(name, name)
    expected = reference.gated_activation(both.astype(np.float64), reference_name)
    np.testing.assert_allclose(y, expected, rtol=2e-6, atol=1e-6)  # tolerance of the activations


def test_gates_without_a_partner() -> None:
    with pytest.raises(InvalidArgument, match=r"both.shape\[1\] is 3, expected an even number"):
        kernels.gated_activation(np.ones((2, 3)), "silu")
