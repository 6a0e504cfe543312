"""The harness adds rows of bounds once a model is measured."""

from typing import Any

from benchmarks.peers.bounds import Limits
from benchmarks.peers.case import Case
from benchmarks.peers.harness import add_bounds

LIMITS = Limits(10.0, {"float32": 100.0, "bfloat16": 200.0, "int8": 400.0})


def test_rows_that_were_measured_have_a_bound() -> None:
    cases = [Case(name, "generate", {}, 1, "tok/s", 0.0, 100.0, 0.0) for name in ("run", "left")]
    measured: dict[str, Any] = {"spread": 0.1}
    rows = {"ours int8-workers2": measured, "peer q4_0": {"error": "no"}, "peer f32": {}}
    result: dict[str, Any] = {"cases": {"run": {"rows": rows}}}
    add_bounds(result, cases, LIMITS)
    assert measured["bound"] == {"seconds": 10.625, "by": "memory"}
    assert rows["peer q4_0"] == {"error": "no"}
    assert rows["peer f32"] == {}
    assert result["limits"] == {"bandwidth": 10.0, "peaks": LIMITS.peaks}
