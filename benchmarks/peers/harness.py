"""Runs the engines, each in a process of its own, in turns case by case."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Any

from benchmarks.peers.bounds import Limits, bound
from benchmarks.peers.case import Case, Group, Workload
from benchmarks.peers.engines import ENGINES, engine_class
from benchmarks.peers.machine import Turns, busy_seconds, measured_limits
from benchmarks.peers.process import Process, Task
from benchmarks.peers.repeats import Repeats, repeats_in

Row = dict[str, Any]  # a row of the results, fit for JSON


@dataclass(frozen=True)
class Plan:
    """The selected measurements, their repeats and their time limits."""

    engines: list[str]
    variants: list[str]  # prefixes of selected variants; empty: all
    cases: list[str]  # parts of the names of selected cases; empty: all
    models: list[str]  # parts of the names of selected models; empty: all
    threads: int
    repeats: int
    retries: int  # largest number of repeats that replace noisy ones
    budget: float  # seconds of repeats per case and engine
    cache: str

    def wants(self, names: list[str], name: str) -> bool:
        return not names or any(part in name for part in names)


def tasks(workload: Workload, group: Group, plan: Plan) -> list[Task]:
    """A task for every engine and variant that can run the model."""
    found = []
    for engine in [name for name in ENGINES if name in plan.engines]:
        kind = engine_class(engine, group.model.family)
        for variant in kind.variants(group.model) if kind else []:
            if not plan.variants or variant.startswith(tuple(plan.variants)):
                name = group.model.name
                task = Task(workload.name, name, engine, variant, plan.threads, plan.cache)
                found.append(task)
    return found


@contextmanager
def loaded(tasks: list[Task], turns: Turns, log: IO[str]) -> Iterator[dict[str, Any]]:
    """label -> the process with the loaded model, or {"error": ...} if it cannot load."""
    running: dict[str, Any] = {}
    try:
        for task in tasks:
            preparing = Process(task, log)
            answer = preparing.call("prepare")
            preparing.end()
            if "error" in answer:
                running[task.label] = answer
                continue
            running[task.label] = process = Process(task, log)
            turns.take()
            answer = process.call("load")
            if "error" in answer:
                process.end()
                running[task.label] = answer
            else:
                process.loading = answer
        turns.give_back()
        yield running
    finally:
        for process in running.values():
            if isinstance(process, Process):
                process.end()


def measured(process: Process, case: Case, repeats: Repeats) -> Row | None:
    """Measure one repeat; return the answer if it failed."""
    busy, started = busy_seconds(), time.perf_counter()
    answer = process.call("run", case=case.id)
    wall = time.perf_counter() - started
    if "seconds" not in answer:
        return answer
    others = (busy_seconds() - busy - answer["processor"]) / wall
    repeats.add(answer["seconds"], others)
    return None


def case_rows(
    case: Case, processes: dict[str, Process], plan: Plan, turns: Turns
) -> dict[str, Row]:
    """label -> row of a case, after a warm-up of each engine and repeats in turns."""
    rows: dict[str, Row] = {}
    repeats: dict[str, Repeats] = {}
    for label, process in processes.items():
        turns.take()
        warm_up = process.call("run", case=case.id)
        rows[label] = row = {key: warm_up[key] for key in warm_up if key != "processor"}
        if "units" in warm_up:
            if warm_up["units"] != case.units:
                row["error"] = f"{warm_up['units']} units, expected {case.units}"
                continue
            wanted = repeats_in(plan.budget, plan.repeats, warm_up["seconds"])
            repeats[label] = Repeats(wanted, plan.retries)
    while waiting := [label for label, found in repeats.items() if not found.enough]:
        for label in waiting:
            turns.take()
            if wrong := measured(processes[label], case, repeats[label]):
                rows[label] |= wrong
                del repeats[label]
    turns.give_back()
    for label, found in repeats.items():
        rows[label] |= {**asdict(found), **asdict(found.summary())}
        rows[label]["samples"] = found.seconds
    return rows


def group_results(workload: Workload, group: Group, plan: Plan, turns: Turns, log: IO[str]) -> Row:
    """All results of one model, fit for JSON.

    The machine's limits change within minutes, so they are the best of before and after.
    """
    turns.take()
    limits = measured_limits(plan.threads)
    result: Row = {"workload": workload.name, "title": workload.title, "model": group.model.name}
    result |= {"threads": plan.threads, "engines": {}, "cases": {}}
    with loaded(tasks(workload, group, plan), turns, log) as found:
        processes = {k: process for k, process in found.items() if isinstance(process, Process)}
        for case in group.cases:
            if plan.wants(plan.cases, case.id):
                rows = case_rows(case, processes, plan, turns)
                about = {"unit": case.unit, "units": case.units}
                result["cases"][case.id] = {**about, "rows": rows}
                print(f"{group.model.name} {case.id}: {len(rows)} rows", file=sys.stderr)
        for label, one in found.items():
            if isinstance(one, Process):
                one = {**one.loading, **one.call("peak")}
            result["engines"][label] = one
    turns.take()
    limits = limits.or_better(measured_limits(plan.threads))
    turns.give_back()
    add_bounds(result, group.cases, limits)
    return result


def add_bounds(result: Row, cases: Iterable[Case], limits: Limits) -> None:
    """Add the limits, and the bound of every measured row, to a model's result."""
    result["limits"] = asdict(limits)
    for case in cases:
        if case.id in result["cases"]:
            for label, row in result["cases"][case.id]["rows"].items():
                if "spread" in row:
                    variant = label.split(" ", 1)[1]
                    row["bound"] = asdict(bound(case, variant, limits))
