"""Speed of a linear layer beside the machine's limits, as a roofline plot.

    python -m benchmarks.studies.roofline FOLDER [--threads 2]

It writes FOLDER/roofline.json and, if matplotlib is installed, FOLDER/roofline.svg. The plot shows
operations per second over operations per byte, for 1 to 256 rows in each precision (Williams et
al. 2009). Its lines are the limits that benchmarks/peers/limits.c measures: the bandwidth of
memory and the peaks of arithmetic.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.kernels import PackedLinear
from attnengine.profiling.sizes import BYTES
from benchmarks.peers.bounds import Limits
from benchmarks.peers.machine import measured_limits
from benchmarks.studies.pictures import logarithmic, save

ROWS = (*range(1, 9), 12, 16, 24, 32, 48, 64, 96, 128, 256)
INPUTS, OUTPUTS = 4096, 16384  # the weights exceed the CPU's caches in any precision


@dataclass(frozen=True)
class Point:
    """Operations per second and operations per byte with one number of rows."""

    rows: int
    speed: float
    intensity: float


def operations(rows: int) -> int:
    return 2 * rows * INPUTS * OUTPUTS


def bytes_moved(rows: int, precision: str) -> float:
    """Bytes of the weights, the inputs and the outputs, each counted once."""
    return BYTES[precision] * INPUTS * OUTPUTS + 4 * rows * (INPUTS + OUTPUTS)


def measure(threads: int, repeats: int) -> dict[str, list[Point]]:
    """Time every precision with every number of rows, in turns after a warm-up."""
    rng = np.random.default_rng(0)
    weight = rng.random((OUTPUTS, INPUTS), np.float32) - np.float32(0.5)
    layers = {name: PackedLinear(weight, precision=name) for name in BYTES}
    inputs = {rows: rng.random((rows, INPUTS), np.float32) - np.float32(0.5) for rows in ROWS}
    times: dict[tuple[str, int], list[float]] = {}
    for _, (name, layer), (rows, x) in product(range(1 + repeats), layers.items(), inputs.items()):
        started = time.perf_counter()
        layer(x, num_threads=threads)
        times.setdefault((name, rows), []).append(time.perf_counter() - started)
    points: dict[str, list[Point]] = {name: [] for name in layers}
    for (name, rows), seconds in times.items():
        work = operations(rows)
        speed = work / statistics.median(seconds[1:])
        points[name].append(Point(rows, speed, work / bytes_moved(rows, name)))
    return points


def plot(path: Path, limits: Limits, curves: dict[str, list[Point]]) -> None:
    """Plot the points of each precision below the limits of memory and arithmetic."""
    figure, axes = logarithmic("operations a byte", "billion operations a second")
    for name, points in curves.items():
        speeds = [point.speed / 1e9 for point in points]
        axes.plot([point.intensity for point in points], speeds, marker=".", label=name)
    ends = axes.get_xlim()
    for name in ("float32", "int8"):
        peak = limits.peaks[name]
        ridge = peak / limits.bandwidth  # operations per byte above which arithmetic is the limit
        roof = [limits.bandwidth * ends[0] / 1e9, peak / 1e9, peak / 1e9]
        axes.plot([ends[0], ridge, max(ridge, ends[1])], roof, "--", color="gray")
        axes.annotate(f"peak of {name}", (ridge, peak / 1e9), ha="right", va="bottom")
    axes.annotate("memory", (2, 2.2 * limits.bandwidth / 1e9), ha="right", va="bottom")
    axes.legend(loc="lower right")
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    limits = measured_limits(options.threads)
    curves = measure(options.threads, options.repeats)
    limits = limits.or_better(measured_limits(options.threads))
    found: dict[str, Any] = {name: [asdict(p) for p in points] for name, points in curves.items()}
    text = json.dumps({"limits": asdict(limits), **found})
    (options.folder / "roofline.json").write_text(text, encoding="utf-8")
    for name, points in curves.items():
        for p in points:
            print(f"{name} {p.rows}: {p.speed / 1e9:.1f} Gop/s at {p.intensity:.2f} op/byte")
    try:
        plot(options.folder / "roofline.svg", limits, curves)
    except ImportError:
        print("no plot: matplotlib is not installed")


if __name__ == "__main__":
    main()
