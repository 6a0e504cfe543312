"""Every kernel against NumPy, in turns in one run: a Markdown table of medians and ratios.

Run it from the root of the repository: ``python -m benchmarks.kernels.table``. ``--files``
chooses kernels, ``--json`` stores the results, and ``--render`` shows several runs as one table.
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
    "unpack",
)


@dataclass(frozen=True)
class Line:
    """Medians of a case in microseconds; a ratio is the other side's time over ours."""

    operation: str
    size: str
    numpy: float
    attnengine: float
    cython: float | None = None

    @property
    def ratio(self) -> float:
        return self.numpy / self.attnengine


def seconds(call: Callable[[], Any], times: int, clock: Callable[[], float]) -> float:
    begin = clock()
    for _ in range(times):
        call()
    return (clock() - begin) / times


def compare(case: Any, rounds: int, round_seconds: float, clock: Callable[[], float]) -> Line:
    """Time all sides in turns, `rounds` times, each turn at least `round_seconds` long."""
    calls = case.calls()
    samples: dict[str, list[float]] = {name: [] for name in calls}
    times = {
        name: max(1, int(round_seconds / seconds(call, 3, time.perf_counter)))
        for name, call in calls.items()
    }
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(1e6 * seconds(call, times[name], clock))
    medians = {name: statistics.median(found) for name, found in samples.items()}
    return Line(case.operation, case.size, **medians)


def columns(names: list[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", "|---|---|" + "---:|" * (len(names) - 2)]


def numpy_table(runs: dict[str, list[Line]]) -> list[str]:
    """A row for each case: NumPy's time, ours and their ratio for every instruction set."""
    heads = [name for isa in runs for name in (f"NumPy, {isa}", f"attnengine, {isa}", "ratio")]
    rows: dict[tuple[str, str], str] = {}
    for lines in runs.values():
        for line in lines:
            row = rows.setdefault((line.operation, line.size), "")
            row += f" {line.numpy:.1f} | {line.attnengine:.1f} | {line.ratio:.2f} |"
            rows[line.operation, line.size] = row
    table = [f"| {operation} | {size} |{row}" for (operation, size), row in rows.items()]
    return [*columns(["operation", "size", *heads]), *table]


def cython_table(runs: dict[str, list[Line]]) -> list[str]:
    """The kernels that also exist in Cython, which is compiled for this machine."""
    return columns(["operation", "size", "NumPy", "Cython", "attnengine", "ratio"]) + [
        f"| {line.operation}, {isa} | {line.size} | {line.numpy:.1f} | {line.cython:.1f} "
        f"| {line.attnengine:.1f} | {line.cython / line.attnengine:.2f} |"
        for isa, lines in runs.items()
        for line in lines
        if line.cython is not None
    ]


def slower(runs: dict[str, list[Line]]) -> str:
    """A sentence that lists the cases in which NumPy is faster."""
    found = [
        f"{line.operation} {line.size} ({isa}: {line.ratio:.2f})"
        for isa, lines in runs.items()
        for line in lines
        if line.ratio < 1
    ]
    return f"Slower than NumPy: {', '.join(found) or 'none'}."


def markdown(runs: dict[str, list[Line]]) -> str:
    """All tables, in microseconds; `runs` maps instruction sets to lines."""
    return "\n".join([*numpy_table(runs), "", slower(runs), "", *cython_table(runs)])


def read(paths: list[Path]) -> dict[str, list[Line]]:
    """The lines of several JSON files, in their order."""
    runs: dict[str, list[Line]] = {}
    for path in paths:
        found = json.loads(path.read_text(encoding="utf-8"))
        runs.setdefault(found["isa"], []).extend(Line(**line) for line in found["lines"])
    return runs


def measure(options: argparse.Namespace) -> dict[str, list[Line]]:
    """Time all cases of the files with this machine's best instruction set or ATTNENGINE_ISA."""
    os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)  # set before NumPy is imported

    import importlib

    from attnengine import kernels

    names = [f"benchmarks.kernels.bench_{name}" for name in options.files]
    modules = [importlib.import_module(name) for name in names]
    # the CPU time of a single thread leaves out other processes
    clock = time.thread_time if options.threads == 1 else time.perf_counter
    lines = [
        compare(case, options.rounds, 2e-3, clock) for module in modules for case in module.CASES
    ]
    if options.json:
        about = {"isa": kernels.isa(), "threads": options.threads}
        options.json.write_text(json.dumps({**about, "lines": [asdict(line) for line in lines]}))
    return {kernels.isa(): lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="threads of both sides")
    parser.add_argument("--rounds", type=int, default=15, help="number of turns of each side")
    parser.add_argument("--files", nargs="+", choices=FILES, default=FILES, help="kernels to time")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--render", type=Path, nargs="+", help="only show these files' results")
    options = parser.parse_args()
    print(markdown(read(options.render) if options.render else measure(options)))


if __name__ == "__main__":
    main()
