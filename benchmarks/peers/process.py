"""The harness's view of a worker process, which sleeps between its calls."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

Answer = dict[str, Any]
ROOT = Path(__file__).parents[2]  # of the repository
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Task:
    """The engine, variant and model of a worker process."""

    workload: str
    model: str
    engine: str
    variant: str
    threads: int
    cache: str

    @property
    def label(self) -> str:
        return f"{self.engine} {self.variant}"


class Process:
    """A worker that SIGSTOP halts between calls, so that its threads disturb no measurement."""

    def __init__(self, task: Task, log: IO[str]) -> None:
        self.task = task
        self.loading: Answer = {}  # the worker's answer after loading
        environment = dict(os.environ, HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
        environment |= dict.fromkeys(THREAD_VARIABLES, str(task.threads))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.worker", json.dumps(vars(task))],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )

    def call(self, do: str, **arguments: Any) -> Answer:
        """The worker's answer, or {"error": ...} if it died."""
        if self.process.poll() is not None:
            return {"error": f"the worker has ended with status {self.process.returncode}"}
        os.kill(self.process.pid, signal.SIGCONT)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            return {"error": f"the worker died with status {self.process.wait()}"}
        os.kill(self.process.pid, signal.SIGSTOP)
        answer: Answer = json.loads(line)
        return answer

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
