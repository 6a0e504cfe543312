"""Compares counts of instructions with the accepted ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

TOLERANCE = 0.02  # runs differ by 0.1 %


@dataclass(frozen=True)
class Counts:
    """Instructions of each case, with the compiler on which they depend."""

    compiler: str
    counts: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> Counts:
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def table(found: Counts, accepted: Counts) -> Iterator[str]:
    """A line for each case: instructions now, accepted instructions and the change."""
    for name, count in found.counts.items():
        before = accepted.counts.get(name)
        change = "new" if before is None else f"{before:12,} {count / before - 1:+8.2%}"
        yield f"{count:12,} {change} {name}"


def complaints(found: Counts, accepted: Counts) -> Iterator[str]:
    """Counts to correct or accept; none for another compiler, because its counts differ."""
    if found.compiler != accepted.compiler:
        return
    for name, count in found.counts.items():
        before = accepted.counts.get(name)
        if before is None:
            yield f"{name}: no count was accepted yet"
        elif count > before * (1 + TOLERANCE):
            yield f"{name}: {count / before - 1:.1%} more instructions than accepted"
        elif count < before * (1 - TOLERANCE):  # an old high count would hide slow-downs
            yield f"{name}: {1 - count / before:.1%} fewer instructions than accepted: accept them"
