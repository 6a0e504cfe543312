from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference import rnn_gates as reference

ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 17, 64]
SIZES = [1, 7, 8, 16, 33]
# gates are off by at most 3 * 2 ** -24; they multiply states below 4
ATOL = 2e-6
GATES = ["sigmoid", "hard_sigmoid", "hard_sigmoid_6"]
NONLINEARITIES = ["tanh", "relu", "linear", "sigmoid", "hard_sigmoid", "hard_sigmoid_6"]


def gates(
    rng: np.random.Generator, rows: int, size: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    gx, gh = rng.normal(size=(2, rows, count * size)).astype(np.float32)
    return gx, gh, rng.normal(size=(rows, size)).astype(np.float32)


def exact(*arrays: np.ndarray) -> list[np.ndarray]:
    return [a.astype(np.float64) for a in arrays]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
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


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_chosen_activations(rng: np.random.Generator, gate: str, nonlinearity: str) -> None:
    of_gru, of_lstm = gates(rng, 3, 33, 3), gates(rng, 3, 33, 4)
    hidden = kernels.gru_gates(*of_gru, nonlinearity, gate)
    expected = reference.gru_gates(*exact(*of_gru), nonlinearity, gate)
    np.testing.assert_allclose(hidden, expected, atol=ATOL)
    both = kernels.lstm_gates(*of_lstm, nonlinearity=nonlinearity, gate_activation=gate)
    expected = reference.lstm_gates(*exact(*of_lstm), None, nonlinearity, gate)
    np.testing.assert_allclose(both, expected, atol=ATOL)


@pytest.mark.parametrize("rows", [1, 3, 8])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("gate", GATES)
def test_gru_that_resets_before_the_product(
    rng: np.random.Generator, rows: int, size: int, gate: str
) -> None:
    gx, gh, hidden = gates(rng, rows, size, 3)
    gh, candidate = np.split(gh, [2 * size], axis=1)
    reset = kernels.gru_reset(gx, gh, hidden, gate)
    np.testing.assert_allclose(reset, reference.gru_reset(*exact(gx, gh, hidden), gate), atol=ATOL)
    arrays = gx, gh, candidate, hidden
    updated = kernels.gru_update(*arrays, "relu", gate)
    expected = reference.gru_update(*exact(*arrays), "relu", gate)
    np.testing.assert_allclose(updated, expected, atol=ATOL)


@pytest.mark.parametrize("rows", [1, 3, 8])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("clip", [None, 0.5])
def test_lstm_with_peepholes_and_clipping(
    rng: np.random.Generator, rows: int, size: int, clip: float | None
) -> None:
    arrays = gates(rng, rows, size, 4)
    peepholes = rng.normal(size=3 * size).astype(np.float32)
    hidden, cell = kernels.lstm_gates(*arrays, peepholes, cell_clip=clip)
    expected = reference.lstm_gates(*exact(*arrays, peepholes), cell_clip=clip)
    np.testing.assert_allclose((hidden, cell), expected, atol=ATOL)
    if clip is not None and size > 1:
        assert np.abs(cell).max() == clip


SIZE = 16_001


def lstm(*arrays: np.ndarray, num_threads: int, **options: Any) -> np.ndarray:
    return np.concatenate(kernels.lstm_gates(*arrays, **options, num_threads=num_threads), axis=1)


KERNELS: dict[str, tuple[int, Callable[..., np.ndarray]]] = {
    "elman": (1, lambda gx, gh, _, **n: kernels.elman_gates(gx, gh, **n)),
    "gru": (3, kernels.gru_gates),
    "gru, hard": (3, partial(kernels.gru_gates, gate_activation="hard_sigmoid")),
    "reset": (3, lambda gx, gh, h, **n: kernels.gru_reset(gx, gh[:, : 2 * SIZE], h, **n)),
    "update": (
        3,
        lambda gx, gh, h, **n: kernels.gru_update(gx, *np.split(gh, [2 * SIZE], axis=1), h, **n),
    ),
    "lstm": (4, lstm),
    "lstm, hard, relu": (
        4,
        partial(lstm, gate_activation="hard_sigmoid_6", nonlinearity="relu", cell_clip=0.5),
    ),
    "peepholes": (4, partial(lstm, peepholes=np.linspace(-1, 1, 3 * SIZE))),
}


@pytest.mark.parametrize("name", KERNELS)
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None], name: str
) -> None:
    count, kernel = KERNELS[name]
    gx, gh, state = gates(rng, 9, SIZE, count)

    def call(rows: np.ndarray, num_threads: int) -> np.ndarray:
        return kernel(gx[rows], gh[rows], state[rows], num_threads=num_threads)

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
    with pytest.raises(ValueError, match=r"peepholes.shape\[0\] is 5, expected 15"):
        kernels.lstm_gates(np.zeros((2, 20)), np.zeros((2, 20)), hidden, np.zeros(5))
    with pytest.raises(ValueError, match=r"candidate.shape\[1\] is 4, expected 5"):
        kernels.gru_update(np.zeros((2, 15)), np.zeros((2, 10)), np.zeros((2, 4)), hidden)
    with pytest.raises(ValueError, match='nonlinearity is "tan", expected one of none, linear'):
        kernels.elman_gates(hidden, hidden, "tan")
    with pytest.raises(ValueError, match=r"cell_clip is 0\.000000, expected a number above 0"):
        kernels.lstm_gates(np.zeros((2, 20)), np.zeros((2, 20)), hidden, cell_clip=0.0)
