"""One engine, one variant, one model in a process of its own: JSON lines in, JSON lines out."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers.case import Workload
from benchmarks.peers.engines import Engine, Setup, UnsupportedError, engine_class
from benchmarks.peers.models import Model
from benchmarks.peers.workloads import WORKLOADS

Answer = dict[str, Any]


def memory(key: str) -> float:
    """A line of /proc/self/status, such as VmHWM, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = next(line for line in lines if line.startswith(f"{key}:"))
    return int(found.split()[1]) * 1024 / 1e6


class Worker:
    """Does what it is told, and says what that took."""

    def __init__(self, kind: type[Engine], setup: Setup, workload: Workload) -> None:
        self.kind, self.setup = kind, setup
        groups = [group for group in workload.groups if group.model.name == setup.model.name]
        self.cases = {case.id: case for case in groups[0].cases}
        self.engine: Engine | None = None

    def prepare(self) -> Answer:
        self.kind.prepare(self.setup)
        return {}

    def load(self) -> Answer:
        before, started = memory("VmRSS"), time.perf_counter()
        self.engine = self.kind(self.setup)
        return {"seconds": time.perf_counter() - started, "memory_before": before}

    def run(self, case: str) -> Answer:
        found = self.cases[case]
        call: Callable[..., int] = getattr(self.engine, found.op)
        assert self.engine is not None
        used = time.process_time()
        self.engine.wake(found.op, found.params)
        started = time.perf_counter()
        units = call(**found.params)
        seconds, processor = time.perf_counter() - started, time.process_time() - used
        return {"seconds": seconds, "processor": processor, "units": units}

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
    os.dup2(2, 1)  # what libraries print goes to stderr
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
