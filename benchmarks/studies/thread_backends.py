"""How long a step takes with threads of our own and with those of OpenMP, on this machine as it is.

    python -m benchmarks.studies.thread_backends [--threads 2] [--rounds 7]

Each round measures every backend in a process of its own, pool, OpenMP, pool, OpenMP, ...: steps of
a Transformer with random weights, one behind the other, and after a pause of 5 ms each. A row gives
the median time with the pool and with OpenMP, and the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from attnengine import kernels

PAUSES = {"one step after the other": 0.0, "a pause of 5 ms before each": 0.005}
SIZES = {"1 row": 1, "8 rows": 8, "64 rows": 64}
STEPS = 20


def measured(threads: int) -> dict[str, float]:
    """Seconds of a step of four layers, for each number of rows and each pause."""
    rng = np.random.default_rng(0)
    weights = [
        kernels.PackedLinear(rng.normal(size=shape).astype(np.float32))
        for shape in [(2048, 512), (512, 2048)] * 4
    ]
    found = {}
    for size, rows in SIZES.items():
        for name, pause in PAUSES.items():
            times = []
            for _ in range(STEPS):
                x = rng.normal(size=(rows, 512)).astype(np.float32)
                time.sleep(pause)
                started = time.perf_counter()
                for weight in weights:
                    x = weight(x, "tanh", num_threads=threads)
                times.append(time.perf_counter() - started)
            found[f"{size}, {name}"] = statistics.median(times)
    return found


def run(backend: str, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.studies.thread_backends", "--one"]
    output = subprocess.run(
        [*command, "--threads", str(threads)],
        env={**os.environ, "ATTNENGINE_PARALLEL": backend},
        capture_output=True,
        check=True,
    )
    return json.loads(output.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--one", action="store_true", help="measure this process' backend alone")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.threads)))
        return
    names = kernels.available_thread_backends()
    if len(names) < 2:
        raise SystemExit(f"this build has {names}, expected OpenMP beside the pool")
    rounds = [{n: run(n, options.threads) for n in names} for _ in range(options.rounds)]
    print("| step | pool, ms | OpenMP, ms | OpenMP / pool |\n| --- | ---: | ---: | ---: |")
    for case in rounds[0]["pool"]:
        pool, openmp = ([r[n][case] for r in rounds] for n in ("pool", "openmp"))
        ratio = statistics.median(b / a for a, b in zip(pool, openmp, strict=True))
        times = " | ".join(f"{1e3 * statistics.median(t):.2f}" for t in (pool, openmp))
        print(f"| {case} | {times} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
