"""Repeats of a measurement: the selection of clean ones and their summary."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

NOISY = 0.15  # a repeat is noisy if others used more cores
MAX_REDONE_ALONE = 1  # retries of a case if the budget allows one repeat


@dataclass
class Repeats:
    """Seconds of each repeat, and the number of cores that other processes used meanwhile."""

    wanted: int
    retries: int
    seconds: list[float] = field(default_factory=list)
    foreign: list[float] = field(default_factory=list)

    def add(self, seconds: float, foreign: float) -> None:
        self.seconds.append(seconds)
        self.foreign.append(max(0.0, foreign))

    @property
    def clean(self) -> int:
        return sum(load <= NOISY for load in self.foreign)

    @property
    def enough(self) -> bool:
        """Whether there are enough clean repeats, or no retries are left."""
        retries = self.retries if self.wanted > 1 else min(self.retries, MAX_REDONE_ALONE)
        return self.clean >= self.wanted or len(self.seconds) >= self.wanted + retries

    def used(self) -> list[int]:
        """Indices of the clean repeats if there are two, else of the quieter half of all."""
        order = sorted(range(len(self.seconds)), key=lambda i: self.foreign[i])
        return order[: self.clean if self.clean >= 2 else -(-len(order) // 2)]

    def summary(self) -> Summary:
        times = [self.seconds[i] for i in self.used()]
        load = statistics.median(self.foreign[i] for i in self.used())
        middle = statistics.median(times)
        spread = (max(times) - min(times)) / 2 / middle if len(times) > 1 else None
        return Summary(middle, spread, load > NOISY)


@dataclass(frozen=True)
class Summary:
    """The median, half the range over the median, and whether it rests on noisy repeats."""

    seconds: float
    spread: float | None  # None for a single repeat
    noisy: bool


def repeats_in(budget: float, most: int, warm_up: float) -> int:
    """The number of repeats that fit into the budget, by the warm-up's seconds; at least one."""
    return max(1, min(most, int(budget / max(warm_up, 1e-9))))
