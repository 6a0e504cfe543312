"""Every kernel against NumPy, taking turns in one run: a Markdown table of medians and ratios.

Run from the root of the repository: ``python -m benchmarks.table --threads 1``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILES = (
    "linear",
    "attention",
    "scaled_dot_attention",
    "rnn_gates",
    "softmax",
    "norm",
    "rotary",
    "activations",
)


@dataclass(frozen=True)
class Line:
    """Medians in microseconds; ratio is NumPy's time over ours."""

    operation: str
    size: str
    numpy: float
    attnengine: float
    ratio: float


def seconds(call: Callable[[], Any], times: int, clock: Callable[[], float]) -> float:
    begin = clock()
    for _ in range(times):
        call()
    return (clock() - begin) / times


def compare(case: Any, rounds: int, round_seconds: float, clock: Callable[[], float]) -> Line:
    """Both sides in turn, `rounds` times, each turn long enough to be measured."""
    calls = case.calls()
    samples: dict[str, list[float]] = {name: [] for name in calls}
    times = {
        name: max(1, int(round_seconds / seconds(call, 3, time.perf_counter)))
        for name, call in calls.items()
    }
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(1e6 * seconds(call, times[name], clock))
    numpy, ours = (statistics.median(samples[name]) for name in ("numpy", "attnengine"))
    return Line(case.operation, case.size, numpy, ours, numpy / ours)


def markdown(lines: list[Line]) -> str:
    rows = ["| operation | size | NumPy, µs | attnengine, µs | ratio |", "|---|---|---:|---:|---:|"]
    rows += [
        f"| {line.operation} | {line.size} | {line.numpy:.1f} | {line.attnengine:.1f} "
        f"| {line.ratio:.2f} |"
        for line in lines
    ]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="for both sides")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each side")
    parser.add_argument("--only", default="", help="operations whose name contains this")
    parser.add_argument("--json", type=Path, help="also write the lines to this file")
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)  # before NumPy is imported

    import importlib

    from attnengine import kernels

    modules = [importlib.import_module(f"benchmarks.bench_{name}") for name in FILES]
    cases = [case for module in modules for case in module.CASES if options.only in str(case)]
    # the time of a single thread does not count what other processes take
    clock = time.thread_time if options.threads == 1 else time.perf_counter
    lines = [compare(case, options.rounds, 2e-3, clock) for case in cases]
    print(f"ISA {kernels.isa()}, threads: {options.threads}\n\n{markdown(lines)}")
    if options.json:
        about = {"isa": kernels.isa(), "threads": options.threads}
        options.json.write_text(json.dumps({**about, "lines": [asdict(line) for line in lines]}))


if __name__ == "__main__":
    main()
