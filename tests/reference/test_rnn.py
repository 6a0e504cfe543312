from __future__ import annotations

import numpy as np
import pytest

from attnengine.reference import rnn, rnn_gates
from attnengine.reference.activations import ACTIVATIONS, sigmoid
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
    np.testing.assert_array_equal(rnn_gates.gru_gates(gx, np.zeros((1, 6)), hidden), hidden)


def test_gru_reset_gate_acts_on_the_recurrent_part_alone() -> None:
    gx, gh = np.zeros((1, 3)), np.array([[0.0, -100.0, 2.0]])  # r = 1/2, z = 0
    gx[0, 2] = 0.5
    state = rnn_gates.gru_gates(gx, gh, np.array([[9.0]]))
    np.testing.assert_allclose(state, [[np.tanh(0.5 + 0.5 * 2.0)]])


def test_gru_reset_gate_before_the_product_scales_what_it_reads() -> None:
    # r = 1/2, z = 0: n = tanh(W x + b + U (h / 2) + b'), with both biases outside the gate
    w = {
        "weight_ih_l0": np.array([[0.0], [0.0], [2.0]]),
        "weight_hh_l0": np.array([[0.0], [0.0], [3.0]]),
        "bias_ih_l0": np.array([0.0, -100.0, 0.1]),
        "bias_hh_l0": np.array([0.0, 0.0, 0.2]),
    }
    options = rnn.CellOptions("gru", reset="before")
    state = rnn.rnn_step(np.array([0.3]), rnn.RnnState(np.array([0.4]), None), w, options)
    np.testing.assert_allclose(state.hidden, [np.tanh(2 * 0.3 + 0.1 + 3 * 0.5 * 0.4 + 0.2)])


@pytest.mark.parametrize("reset", ["after", "before"])
def test_where_the_inner_bias_of_a_gru_is(reset: str) -> None:
    """Reset after the product: r multiplies bias_hh of n. Before it: r multiplies no bias."""
    w, options = random_layers("gru", 3, 2), rnn.CellOptions("gru", reset=reset)
    inside = w | {"bias_hh_l0": w["bias_hh_l0"] + [0, 0, 0, 0, 1, 1]}
    outside = w | {"bias_ih_l0": w["bias_ih_l0"] + [0, 0, 0, 0, 1, 1]}
    state = rnn.RnnState(np.array([0.4, -0.9]), None)
    a, b = (rnn.rnn_step(np.ones(3), state, v, options).hidden for v in (inside, outside))
    assert np.allclose(a, b, atol=1e-12) == (reset == "before")


def test_lstm_gates_come_in_pytorchs_order() -> None:
    gx = np.array([[0.1, 0.2, 0.3, 0.4]])
    hidden, cell = rnn_gates.lstm_gates(gx, np.zeros((1, 4)), np.array([[2.0]]))
    expected = sigmoid(gx[0, 1]) * 2.0 + sigmoid(gx[0, 0]) * np.tanh(0.3)
    np.testing.assert_allclose(cell, [[expected]])
    np.testing.assert_allclose(hidden, [[sigmoid(gx[0, 3]) * np.tanh(expected)]])


def test_peepholes_read_the_cell_and_the_output_gate_the_new_one() -> None:
    gx = np.array([[0.1, 0.2, 0.3, 0.4]])
    peepholes = np.array([0.5, 0.6, 0.7])
    hidden, cell = rnn_gates.lstm_gates(gx, np.zeros((1, 4)), np.array([[2.0]]), peepholes)
    forget, enter = sigmoid(np.array(0.2 + 0.6 * 2.0)), sigmoid(np.array(0.1 + 0.5 * 2.0))
    expected = forget * 2.0 + enter * np.tanh(0.3)
    np.testing.assert_allclose(cell, [[expected]])
    output = sigmoid(np.array(0.4 + 0.7 * expected))
    np.testing.assert_allclose(hidden, [[output * np.tanh(expected)]])


def test_clipping_comes_before_anything_reads_the_cell() -> None:
    gx, peepholes = np.array([[9.0, 9.0, 9.0, 0.0]]), np.array([0.0, 0.0, 1.0])
    arrays = gx, np.zeros((1, 4)), np.array([[4.0]]), peepholes
    hidden, cell = rnn_gates.lstm_gates(*arrays, cell_clip=0.25)
    np.testing.assert_array_equal(cell, [[0.25]])
    np.testing.assert_allclose(hidden, [[sigmoid(np.array(0.25)) * np.tanh(0.25)]])


def test_projection_is_what_the_next_step_reads_and_is_clipped() -> None:
    w, rng = random_layers("lstm", 3, 2), np.random.default_rng(0)
    w["weight_hh_l0"], w["weight_hr_l0"] = w["weight_hh_l0"][:, :1], rng.normal(size=(1, 2))
    plain = rnn.zero_state(w, rnn.CellOptions("lstm"))
    assert (plain.hidden.shape, plain.cell.shape) == ((1,), (2,))
    once = rnn.rnn_step(np.ones(3), plain, w, rnn.CellOptions("lstm"))
    limit = float(np.abs(once.hidden[0])) / 2
    clipped = rnn.rnn_step(np.ones(3), plain, w, rnn.CellOptions("lstm", projection_clip=limit))
    np.testing.assert_allclose(np.abs(clipped.hidden), [limit])
    np.testing.assert_array_equal(clipped.cell, once.cell)


@pytest.mark.parametrize(("name", "zero"), [("hard_sigmoid", -2.5), ("hard_sigmoid_6", -3.0)])
def test_hard_sigmoids(name: str, zero: float) -> None:
    x = np.array([zero - 1, zero, zero / 2, 0.0, -zero, -zero + 1])
    y = ACTIVATIONS[name](x)
    np.testing.assert_allclose(y, [0, 0, 0.25, 0.5, 1, 1], atol=1e-15)


def test_elman_relu() -> None:
    state = rnn_gates.elman_gates(np.array([[1.0, -3.0]]), np.array([[1.0, 1.0]]), "relu")
    np.testing.assert_array_equal(state, [[2.0, 0.0]])


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_two_products_and_the_gates(cell: str) -> None:
    w = random_layers(cell, 3, 2)
    rng = np.random.default_rng(1)
    x, hidden, memory = rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    gx = linear(x, w["weight_ih_l0"], w["bias_ih_l0"])
    gh = linear(hidden, w["weight_hh_l0"], w["bias_hh_l0"])

    state = rnn.rnn_step(x, rnn.RnnState(hidden, memory), w, rnn.CellOptions(cell))

    if cell == "lstm":
        expected = rnn_gates.lstm_gates(gx, gh, memory)
        np.testing.assert_array_equal(state.cell, expected[1])
        np.testing.assert_array_equal(state.hidden, expected[0])
    else:
        expected = (
            rnn_gates.gru_gates(gx, gh, hidden) if cell == "gru" else rnn_gates.elman_gates(gx, gh)
        )
        np.testing.assert_array_equal(state.hidden, expected)


@pytest.mark.parametrize("cell", CELLS)
def test_reverse_reads_the_sequence_backwards(cell: str) -> None:
    w, x = random_layers(cell, 3, 2), np.random.default_rng(2).normal(size=(5, 3))
    backward, final = rnn.rnn_layer(x, w, rnn.CellOptions(cell), reverse=True)
    forward, _ = rnn.rnn_layer(x[::-1], w, rnn.CellOptions(cell))
    np.testing.assert_array_equal(backward, forward[::-1])
    np.testing.assert_array_equal(final.hidden, backward[0])


@pytest.mark.parametrize("cell", CELLS)
def test_final_states_of_both_directions(cell: str) -> None:
    w, x = random_layers(cell, 3, 2), np.random.default_rng(3).normal(size=(5, 3))
    states, final = rnn.rnn(x, w, rnn.CellOptions(cell), num_layers=2, bidirectional=True)
    assert states.shape == (5, 4)
    assert final.hidden.shape == (2, 2, 2)
    assert (final.cell is None) == (cell != "lstm")
    np.testing.assert_array_equal(final.hidden[1, 0], states[-1, :2])
    np.testing.assert_array_equal(final.hidden[1, 1], states[0, 2:])


def test_lstm_step_without_a_cell_is_refused() -> None:
    w = random_layers("lstm", 3, 2)
    with pytest.raises(ValueError, match="the state has no cell"):
        rnn.rnn_step(np.zeros(3), rnn.RnnState(np.zeros(2), None), w, rnn.CellOptions("lstm"))
