from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference import rnn as reference

ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 17, 64]
SIZES = [1, 7, 8, 16, 33]
# gates are good to 3 units of 2 ** -24, states are below 4 and multiplied by gates below 1
ATOL = 2e-6


def gates(
    rng: np.random.Generator, rows: int, size: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    gx, gh = rng.normal(size=(2, rows, count * size)).astype(np.float32)
    return gx, gh, rng.normal(size=(rows, size)).astype(np.float32)


def exact(*arrays: np.ndarray) -> list[np.ndarray]:
    return [a.astype(np.float64) for a in arrays]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_elman(rng: np.random.Generator, rows: int, size: int, nonlinearity: str) -> None:
    gx, gh, _ = gates(rng, rows, size, 1)
    hidden = kernels.elman_gates(gx, gh, nonlinearity)
    expected = reference.elman_gates(*exact(gx, gh), nonlinearity)
    np.testing.assert_allclose(hidden, expected, atol=ATOL)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("size", SIZES)
def test_gru(rng: np.random.Generator, rows: int, size: int) -> None:
    arrays = gates(rng, rows, size, 3)
    hidden = kernels.gru_gates(*arrays)
    np.testing.assert_allclose(hidden, reference.gru_gates(*exact(*arrays)), atol=ATOL)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("size", SIZES)
def test_lstm(rng: np.random.Generator, rows: int, size: int) -> None:
    arrays = gates(rng, rows, size, 4)
    hidden, cell = kernels.lstm_gates(*arrays)
    expected_hidden, expected_cell = reference.lstm_gates(*exact(*arrays))
    np.testing.assert_allclose(hidden, expected_hidden, atol=ATOL)
    np.testing.assert_allclose(cell, expected_cell, atol=ATOL)


@pytest.mark.parametrize(("name", "count"), [("elman", 1), ("gru", 3), ("lstm", 4)])
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None], name: str, count: int
) -> None:
    gx, gh, state = gates(rng, 9, 16_001, count)
    kernel = getattr(kernels, f"{name}_gates")

    def call(rows: np.ndarray, num_threads: int) -> np.ndarray:
        states = [] if name == "elman" else [state[rows]]
        result = kernel(gx[rows], gh[rows], *states, num_threads=num_threads)
        return np.concatenate(result, axis=1) if name == "lstm" else result

    check_rows_independent(call, 9)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_nan_in_gives_nan_out_for_its_unit(rng: np.random.Generator, which: int) -> None:
    for count, kernel in [(3, kernels.gru_gates), (4, kernels.lstm_gates)]:
        arrays = gates(rng, 3, 9, count)
        arrays[which][1, 8] = np.nan
        result = kernel(*arrays)
        hidden = result[0] if isinstance(result, tuple) else result
        assert np.isnan(hidden[1, 8])
        assert np.isnan(hidden).sum() == 1


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_elman_nan_in_gives_nan_out(nonlinearity: str) -> None:
    gx = np.array([[1, np.nan, 2]])
    hidden = kernels.elman_gates(gx, np.zeros((1, 3)), nonlinearity)
    np.testing.assert_array_equal(np.isnan(hidden), np.isnan(gx))


def test_no_rows() -> None:
    assert kernels.elman_gates(np.zeros((0, 5)), np.zeros((0, 5))).shape == (0, 5)
    nothing, hidden = np.zeros((0, 15)), np.zeros((0, 5))
    assert kernels.gru_gates(nothing, nothing, hidden).shape == (0, 5)


def test_names_the_argument_that_does_not_fit() -> None:
    hidden = np.zeros((2, 5))
    with pytest.raises(ValueError, match=r"gx.shape\[1\] is 10, expected 15"):
        kernels.gru_gates(np.zeros((2, 10)), np.zeros((2, 15)), hidden)
    with pytest.raises(ValueError, match=r"gh.shape\[0\] is 1, expected 2"):
        kernels.lstm_gates(np.zeros((2, 20)), np.zeros((1, 20)), hidden)
    with pytest.raises(ValueError, match=r"gh.shape\[1\] is 4, expected 5"):
        kernels.elman_gates(hidden, np.zeros((2, 4)))
    with pytest.raises(ValueError, match='nonlinearity is "gelu", expected one of tanh, relu'):
        kernels.elman_gates(hidden, hidden, "gelu")
