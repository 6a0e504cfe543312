"""Runs one engine, variant and model: reads commands and writes answers as JSON lines."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.peers.case import Workload
from benchmarks.peers.engines import Engine, Setup, UnsupportedError, engine_class
from benchmarks.peers.models import Model
from benchmarks.peers.workloads import WORKLOADS

Answer = dict[str, Any]

# After SIGSTOP the threads of a process share a core for some milliseconds. So short calls are
# repeated for WAKING seconds before they are timed, and for TIMED seconds while they are timed.
WAKING, TIMED = 0.03, 0.1


def memory(key: str) -> float:
    """The value of a line in /proc/self/status, such as VmHWM, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = next(line for line in lines if line.startswith(f"{key}:"))
    return int(found.split()[1]) * 1024 / 1e6


def mean_seconds(call: Callable[[], int], least: float) -> tuple[int, float]:
    """A call's result and mean time, over all calls that begin within ``least`` seconds."""
    calls, started = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - started < least:
        units = call()
        calls += 1
    return units, (time.perf_counter() - started) / calls


class Worker:
    """Executes commands and answers with their times."""

    def __init__(self, kind: type[Engine], setup: Setup, workload: Workload) -> None:
        self.kind, self.setup = kind, setup
        groups = [group for group in workload.groups if group.model.name == setup.model.name]
        self.cases = {case.id: case for case in groups[0].cases}
        self.engine: Engine | None = None
        self.seconds: dict[str, float] = {}  # case -> seconds of its last call

    def prepare(self) -> Answer:
        self.kind.prepare(self.setup)
        return {}

    def load(self) -> Answer:
        before, started = memory("VmRSS"), time.perf_counter()
        self.engine = self.kind(self.setup)
        return {"seconds": time.perf_counter() - started, "memory_before": before}

    def run(self, case: str) -> Answer:
        found = self.cases[case]
        operation: Callable[..., int] = getattr(self.engine, found.op)
        used, least = time.process_time(), 0.0
        if self.seconds.get(case, WAKING) < WAKING:
            mean_seconds(partial(operation, **found.params), WAKING)
            least = TIMED
        units, seconds = mean_seconds(partial(operation, **found.params), least)
        self.seconds[case] = seconds
        return {"seconds": seconds, "processor": time.process_time() - used, "units": units}

    def peak(self) -> Answer:
        return {"memory": memory("VmHWM")}

    def answer(self, do: str, **arguments: Any) -> Answer:
        try:
            done: Answer = getattr(self, do)(**arguments)
        except UnsupportedError as error:
            return {"unsupported": str(error) or "unsupported"}
        except Exception as error:
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {error}"[:500]}
        return done


def model_of(workload: Workload, name: str) -> Model:
    return next(group.model for group in workload.groups if group.model.name == name)


def main() -> None:
    task = json.loads(sys.argv[1])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # prints of libraries go to stderr
    workload = WORKLOADS[task["workload"]]()
    model = model_of(workload, task["model"])
    setup = Setup(model, task["variant"], task["threads"], Path(task["cache"]))
    kind = engine_class(task["engine"], model.family)
    if kind is None:
        raise SystemExit(f"{task['engine']} has no {model.family}")
    worker = Worker(kind, setup, workload)
    for line in sys.stdin:
        print(json.dumps(worker.answer(**json.loads(line))), file=out, flush=True)
    os._exit(0)  # some runtimes hang in their destructors


if __name__ == "__main__":
    main()
