"""How fast the machine reads its memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_READ = 2**28  # bytes that are read to measure the bandwidth: no cache holds them
_TURNS = 8


class Bandwidth:
    """Bytes a second that threads together read from memory, the best that was seen so far.

    Other programs, and other guests of a host, change it from second to second.
    """

    def __init__(self, num_threads: int) -> None:
        self.parts = np.array_split(np.ones(_READ // 8, np.int64), num_threads)
        self.best = 0.0
        for _ in range(_TURNS):
            self.measure()

    def measure(self) -> None:
        """Read all of the array once more."""
        with ThreadPoolExecutor(len(self.parts)) as pool:
            seconds = timed(lambda: list(pool.map(np.bitwise_or.reduce, self.parts)))
        self.best = max(self.best, _READ / seconds)


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
