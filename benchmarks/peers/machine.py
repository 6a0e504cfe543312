"""The machine: its lock, its load and its limits."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.peers.bounds import Limits

IDLE = 0.3  # a measurement begins while fewer cores are busy
_TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """Busy seconds of all cores so far, including time for other guests of the host."""
    with Path("/proc/stat").open(encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def wait_until_idle(limit: float) -> None:
    """Wait until fewer than IDLE cores are busy, ``limit`` seconds at most."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        busy, started = busy_seconds(), time.perf_counter()
        time.sleep(0.5)
        if (busy_seconds() - busy) / (time.perf_counter() - started) < IDLE:
            return


class Turns:
    """An exclusive lock on a file, held for some seconds of measurements at a time.

    The command flock takes the same lock, so that other measurements on the machine wait.
    """

    def __init__(self, path: Path, hold: float, idle_wait: float) -> None:
        self.file, self.hold, self.idle_wait = path.open("a"), hold, idle_wait
        self.since: float | None = None

    def take(self) -> None:
        """Take the lock, or keep it until it has been held for `hold` seconds."""
        if self.since is not None and time.monotonic() - self.since > self.hold:
            self.give_back()
        if self.since is None:
            fcntl.flock(self.file, fcntl.LOCK_EX)
            self.since = time.monotonic()
            wait_until_idle(self.idle_wait)

    def give_back(self) -> None:
        if self.since is not None:
            fcntl.flock(self.file, fcntl.LOCK_UN)
            self.since = None


def measured_limits(threads: int) -> Limits:
    """Bytes per second from memory; operations per second in float32, bfloat16 and int8."""
    source = Path(__file__).with_name("limits.c")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "limits"
        options = ["-O3", "-march=native", "-ffp-contract=fast", "-pthread"]
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, *options, str(source), "-o", str(program)], check=True)
        out = subprocess.run([str(program), str(threads)], check=True, stdout=subprocess.PIPE)
    peaks: dict[str, float] = json.loads(out.stdout)
    return Limits(peaks.pop("bandwidth"), peaks)
