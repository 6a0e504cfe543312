from __future__ import annotations

import pytest

from attnengine.profiling.speed import Multiplied
from benchmarks.peers import shapes
from benchmarks.peers.bounds import Bound, Limits, bound
from benchmarks.peers.case import Case, parameters
from benchmarks.peers.workloads import WORKLOADS

LIMITS = Limits(10.0, {"float32": 100.0, "bfloat16": 200.0, "int8": 400.0})


def case(operations: float = 0.0, **read: float) -> Case:
    return Case("case", "generate", {}, 1, "tok/s", operations, **read)


@pytest.mark.parametrize(
    ("variant", "seconds"),
    [
        ("float32", 40.0),
        ("f32", 40.0),
        ("bfloat16", 20.0),
        ("int8-workers2", 10.625),  # 68 bytes for 64 weights
        ("q8_0", 10.625),  # 34 bytes for 32 weights
        ("q4_0", 5.625),
        ("int4", 5.625),
    ],
)
def test_bytes_of_weights_over_bandwidth(variant: str, seconds: float) -> None:
    assert bound(case(weights_read=100.0), variant, LIMITS) == Bound(seconds, "memory")


@pytest.mark.parametrize(
    ("variant", "seconds"), [("float32", 8.0), ("bf16", 4.0), ("int8", 2.0), ("q4_0", 2.0)]
)
def test_operations_over_the_peak_of_their_arithmetic(variant: str, seconds: float) -> None:
    assert bound(case(operations=800.0), variant, LIMITS) == Bound(seconds, "compute")


def test_what_is_float32_whatever_the_weights_are() -> None:
    assert bound(case(weights_read=100.0, float_bytes=50.0), "int8", LIMITS).seconds == 15.625


@pytest.mark.parametrize(("variant", "seconds"), [("f32", 60.0), ("int4", 15.625)])
def test_a_cache_has_16_bits_beside_weights_of_fewer(variant: str, seconds: float) -> None:
    assert bound(case(weights_read=100.0, numbers_kept=50.0), variant, LIMITS).seconds == seconds


def test_parameters_of_a_transformer() -> None:
    d, f, vocab = 512, 2048, 58101
    source = 6 * (4 * d * d + 2 * d * f) + 6 * 2 * d * d  # with the keys of cross-attention
    step = 6 * (6 * d * d + 2 * d * f)
    assert parameters(shapes.MARIAN) == Multiplied(source, step, vocab * d)


def test_parameters_of_an_rnn() -> None:
    n, vocab = 512, 30000
    source = 2 * 3 * n * 2 * n + n * 2 * n  # two directions, then the keys
    step = 3 * n * (n + 2 * n) + 3 * n * n + n * n + n * 4 * n
    assert parameters(shapes.RNNSEARCH) == Multiplied(source, step, vocab * n)


def test_tied_and_separate_output_layers_cost_the_same() -> None:
    assert parameters(shapes.LSTM_LM) == Multiplied(0, 2 * 8 * 1024**2, 33278 * 1024)
    assert parameters(shapes.OPENNMT).head == 30000 * 500


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_case_costs_something(name: str) -> None:
    for group in WORKLOADS[name]().groups:
        assert len({one.id for one in group.cases}) == len(group.cases)
        for one in group.cases:
            assert one.units > 0
            assert bound(one, "int8", LIMITS).seconds > 0


def test_the_best_of_two_measurements() -> None:
    throttled = Limits(12.0, {"float32": 50.0, "bfloat16": 300.0, "int8": 200.0})
    best = Limits(12.0, {"float32": 100.0, "bfloat16": 300.0, "int8": 400.0})
    assert LIMITS.or_better(throttled) == throttled.or_better(LIMITS) == best
