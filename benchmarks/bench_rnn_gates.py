"""One step of a recurrent cell after its two products: C++ against NumPy."""

from __future__ import annotations

from typing import Any

from attnengine.reference import rnn as reference
from benchmarks.case import Case, measure, parametrize, random_arrays, threaded


def case(cell: str, rows: int, hidden: int) -> Case:
    gates = (rows, reference.NUM_GATES[cell] * hidden)
    state = [] if cell == "elman" else [(rows, hidden)]
    return Case(
        f"{cell} gates",
        f"rows={rows} hidden={hidden}",
        random_arrays(gates, gates, *state),
        getattr(reference, f"{cell}_gates"),
        threaded(f"{cell}_gates"),
    )


CASES = [case(cell, rows, 512) for cell in ("elman", "gru", "lstm") for rows in (1, 8, 64)]


@parametrize(CASES)
def test_gates(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
