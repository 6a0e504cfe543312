"""Speed at which one row streams weights from memory, by the size and precision of a layer.

    python -m benchmarks.studies.streams [--threads 2] [--seconds 12]

Equal layers that together exceed the CPU's caches run one after the other, and the precisions take
turns. The table shows GB of weights per second: the median of all turns and the best tenth.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from attnengine.kernels import PackedLinear
from attnengine.profiling.sizes import BYTES

LAYERS = {
    (4096, 32768): 1,
    (896, 4864): 60,
    (768, 768): 500,
}  # (inputs, outputs) -> layers


def rates(inputs: int, outputs: int, count: int, threads: int, seconds: float) -> dict[str, str]:
    """precision -> cell of the table with its rates."""
    rng = np.random.default_rng(0)
    weight = rng.random((outputs, inputs), np.float32) - np.float32(0.5)
    x = rng.random((1, inputs), np.float32)
    layers = {name: [PackedLinear(weight, precision=name) for _ in range(count)] for name in BYTES}
    times: dict[str, list[float]] = {name: [] for name in BYTES}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, one_by_one in layers.items():
            started = time.perf_counter()
            for layer in one_by_one:
                layer(x, num_threads=threads)
            times[name].append(time.perf_counter() - started)
    found = {}
    for name, taken in times.items():
        size = BYTES[name] * inputs * outputs * count
        median, best = size / np.quantile(taken, [0.5, 0.1]) / 1e9
        found[name] = f"{median:.1f} ({best:.1f})"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=12.0, help="seconds per size")
    options = parser.parse_args()
    print(f"| layers | {' | '.join(BYTES)} |")
    print("| --- |" + " ---: |" * len(BYTES))
    for (inputs, outputs), count in LAYERS.items():
        cells = rates(inputs, outputs, count, options.threads, options.seconds).values()
        print(f"| {count} of {inputs}x{outputs} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
