from __future__ import annotations

import numpy as np
import pytest

from attnengine.reference import rnn
from attnengine.reference.activations import sigmoid
from attnengine.reference.linear import linear

CELLS = ["elman", "gru", "lstm"]


def random_layers(cell: str, size: int, hidden: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Two bidirectional layers in float64."""
    rng, weights = np.random.default_rng(seed), {}
    gates = rnn.NUM_GATES[cell] * hidden
    for k, below in enumerate([size, 2 * hidden]):
        for suffix in (f"_l{k}", f"_l{k}_reverse"):
            weights[f"weight_ih{suffix}"] = rng.normal(size=(gates, below))
            weights[f"weight_hh{suffix}"] = rng.normal(size=(gates, hidden))
            weights[f"bias_ih{suffix}"] = rng.normal(size=gates)
            weights[f"bias_hh{suffix}"] = rng.normal(size=gates)
    return weights


def test_gru_with_update_gate_open_keeps_its_state() -> None:
    gx = np.zeros((1, 6))
    gx[:, 2:4] = 100.0  # z = 1
    hidden = np.array([[0.3, -0.7]])
    np.testing.assert_array_equal(rnn.gru_gates(gx, np.zeros((1, 6)), hidden), hidden)


def test_gru_reset_gate_acts_on_the_recurrent_part_alone() -> None:
    gx, gh = np.zeros((1, 3)), np.array([[0.0, -100.0, 2.0]])  # r = 1/2, z = 0
    gx[0, 2] = 0.5
    state = rnn.gru_gates(gx, gh, np.array([[9.0]]))
    np.testing.assert_allclose(state, [[np.tanh(0.5 + 0.5 * 2.0)]])


def test_lstm_gates_come_in_pytorchs_order() -> None:
    gx = np.array([[0.1, 0.2, 0.3, 0.4]])
    hidden, cell = rnn.lstm_gates(gx, np.zeros((1, 4)), np.array([[2.0]]))
    expected = sigmoid(gx[0, 1]) * 2.0 + sigmoid(gx[0, 0]) * np.tanh(0.3)
    np.testing.assert_allclose(cell, [[expected]])
    np.testing.assert_allclose(hidden, [[sigmoid(gx[0, 3]) * np.tanh(expected)]])


def test_elman_relu() -> None:
    state = rnn.elman_gates(np.array([[1.0, -3.0]]), np.array([[1.0, 1.0]]), "relu")
    np.testing.assert_array_equal(state, [[2.0, 0.0]])


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_two_products_and_the_gates(cell: str) -> None:
    w = random_layers(cell, 3, 2)
    rng = np.random.default_rng(1)
    x, hidden, memory = rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    gx = linear(x, w["weight_ih_l0"], w["bias_ih_l0"])
    gh = linear(hidden, w["weight_hh_l0"], w["bias_hh_l0"])

    state = rnn.rnn_step(x, rnn.RnnState(hidden, memory), w, cell)

    if cell == "lstm":
        expected = rnn.lstm_gates(gx, gh, memory)
        np.testing.assert_array_equal(state.cell, expected[1])
        np.testing.assert_array_equal(state.hidden, expected[0])
    else:
        expected = rnn.gru_gates(gx, gh, hidden) if cell == "gru" else rnn.elman_gates(gx, gh)
        np.testing.assert_array_equal(state.hidden, expected)


@pytest.mark.parametrize("cell", CELLS)
def test_reverse_reads_the_sequence_backwards(cell: str) -> None:
    w, x = random_layers(cell, 3, 2), np.random.default_rng(2).normal(size=(5, 3))
    backward, final = rnn.rnn_layer(x, w, cell, reverse=True)
    forward, _ = rnn.rnn_layer(x[::-1], w, cell)
    np.testing.assert_array_equal(backward, forward[::-1])
    np.testing.assert_array_equal(final.hidden, backward[0])


@pytest.mark.parametrize("cell", CELLS)
def test_final_states_of_both_directions(cell: str) -> None:
    w, x = random_layers(cell, 3, 2), np.random.default_rng(3).normal(size=(5, 3))
    states, final = rnn.rnn(x, w, cell, num_layers=2, bidirectional=True)
    assert states.shape == (5, 4)
    assert final.hidden.shape == (2, 2, 2)
    assert (final.cell is None) == (cell != "lstm")
    np.testing.assert_array_equal(final.hidden[1, 0], states[-1, :2])
    np.testing.assert_array_equal(final.hidden[1, 1], states[0, 2:])


def test_lstm_step_without_a_cell_is_refused() -> None:
    w = random_layers("lstm", 3, 2)
    with pytest.raises(ValueError, match="the state has no cell"):
        rnn.rnn_step(np.zeros(3), rnn.RnnState(np.zeros(2), None), w, "lstm")
