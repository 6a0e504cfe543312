"""The gates of a recurrent cell after its two products: C++ against NumPy, Cython for a GRU."""

from __future__ import annotations

from functools import partial
from typing import Any

from attnengine.reference import rnn_gates as reference
from benchmarks.kernels.case import Case, measure, parametrize, random_arrays, threaded
from benchmarks.kernels.cython_twins import twin

# name -> kernel, blocks of hidden_size in (gx, gh), number of states, options
GATES: dict[str, tuple[str, tuple[int, int], int, dict[str, Any]]] = {
    "elman gates": ("elman_gates", (1, 1), 0, {}),
    "gru gates": ("gru_gates", (3, 3), 1, {}),
    "gru gates, hard": ("gru_gates", (3, 3), 1, {"gate_activation": "hard_sigmoid"}),
    "gru reset": ("gru_reset", (3, 2), 1, {}),
    "gru update": ("gru_update", (3, 2), 2, {}),
    "lstm gates": ("lstm_gates", (4, 4), 1, {}),
    "lstm gates, hard": ("lstm_gates", (4, 4), 1, {"gate_activation": "hard_sigmoid"}),
    "lstm gates, clipped": ("lstm_gates", (4, 4), 1, {"cell_clip": 1.0}),
}


def case(operation: str, rows: int, hidden: int) -> Case:
    name, blocks, states, options = GATES[operation]
    shapes = [(rows, n * hidden) for n in blocks] + [(rows, hidden)] * states
    return Case(
        operation,
        f"rows={rows} hidden={hidden}",
        random_arrays(*shapes),
        partial(getattr(reference, name), **options),
        threaded(name, **options),
        cython=twin("gru_gates") if operation == "gru gates" else None,
    )


CASES = [case(operation, rows, 512) for operation in GATES for rows in (1, 8, 64)]


@parametrize(CASES)
def test_gates(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
