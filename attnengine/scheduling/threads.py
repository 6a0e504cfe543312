"""The number of threads that a call may use on this machine, and checks of that number."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from attnengine.errors import InvalidArgument

MAX_THREADS = 1024
_CGROUP = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def choose_threads(num_threads: int | None) -> int:
    """Return ``num_threads``, or the number of available threads if it is None.

    Raises InvalidArgument unless it is None or an integer from 1 to 1024.
    """
    if num_threads is None:
        return min(available_threads(), MAX_THREADS)
    whole = isinstance(num_threads, int) and not isinstance(num_threads, bool)
    if not (whole and 1 <= num_threads <= MAX_THREADS):
        raise InvalidArgument(
            f"num_threads is {num_threads!r}, expected None or an integer from 1 to {MAX_THREADS}"
        )
    return num_threads


def check_workers(num_workers: int | None, num_threads: int) -> None:
    """Raise InvalidArgument unless ``num_workers`` is None or from 1 to ``num_threads``."""
    if num_workers is None:
        return
    whole = isinstance(num_workers, int) and not isinstance(num_workers, bool)
    if not (whole and 1 <= num_workers <= num_threads):
        raise InvalidArgument(
            f"num_workers is {num_workers!r}, expected None or an integer from 1 to num_threads,"
            f" which is {num_threads}"
        )


def available_threads() -> int:
    """Return the number of cores that this process may use, at least 1.

    It is the size of the affinity mask, limited by the control group's quota rounded down.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.floor(min(cores, cgroup_quota())))


def cgroup_quota(root: Path = _CGROUP, membership: Path = _MEMBERSHIP) -> float:
    """Return the cores that this process' control groups allow; infinity without a limit."""
    return min((_quota(folder) for folder in _groups(root, membership)), default=math.inf)


def _groups(root: Path, membership: Path) -> Iterator[Path]:
    """Yield the folders of this process' control groups, versions 1 and 2, and their parents."""
    for line in _lines(membership):
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "cpu" if controllers else root
        folder = top / group.lstrip("/")
        yield folder
        yield from (parent for parent in folder.parents if parent.is_relative_to(top))


def _quota(folder: Path) -> float:
    """Return the cores that one control group allows: quota / period, both in microseconds."""
    lines = _lines(folder / "cpu.max")  # version 2: "max 100000" or "150000 100000"
    if not lines:
        lines = [" ".join(_lines(folder / f"cpu.cfs_{part}_us")) for part in ("quota", "period")]
    quota, _, period = " ".join(lines).partition(" ")
    try:
        limit = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return math.inf
    return limit if limit > 0 else math.inf  # in version 1, quota -1 means no limit


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().split("\n")[:-1]
    except OSError:
        return []
