"""Time of whole models by the purpose of functions, from samples of `perf`.

    python -m benchmarks.studies.time_by_function CASE...

CASE is a case of ``benchmarks.peers``, such as ``w1/opus-mt-base/batch32-beam4/int8-workers2``.
The cache of ``benchmarks.peers`` holds its model, or the command writes it there. ``perf`` must be
installed and allowed to sample the user's processes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.peers.engines import Setup
from benchmarks.peers.engines.ours import AttnEngine
from benchmarks.peers.worker import model_of
from benchmarks.peers.workloads import WORKLOADS

SECONDS = 6.0
THREADS = 2

# part -> pattern of symbols; the first pattern that matches wins
PARTS = {
    "products": r"::multiply|::add_half",
    "quantising": r"quantise|round_rows",
    "attention": r"score_pages|mix_vectors|::weigh\b|attend|additive|dot_attention|mix_columns|"
    r"store_keys_values|store_head|key_value",
    "gates, norms, activations": r"gates|norm|activat|rotary|softmax_row|tanh|sigmoid|gelu|silu",
    "logits, search": r"top_k|TopK|log_sum|softmax|search|Search|decoding|Hypothes|Continuation",
    "waiting": r"ThreadPool|sched|futex|\bpoll|idle",
    "other of attnengine": r"attnengine::",
    "copies": r"memmove|memcpy|memset|clear_page",
    "Python": r"^_?Py|^_?py|PyEval|gc_collect|pybind|dict|unicode|list_|long_|numpy|array_",
}


def part_of(symbol: str) -> str:
    return next((part for part, pattern in PARTS.items() if re.search(pattern, symbol)), "other")


def sampled(run: Callable[[], Any], seconds: float) -> Counter[str]:
    """symbol -> samples in all threads of this process while ``run`` is repeated."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "perf.data"
        record = ["perf", "record", "-e", "cpu-clock", "-F", "2000", "-o", str(data)]
        perf = subprocess.Popen(
            [*record, "-p", str(os.getpid())], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            run()
        perf.terminate()
        perf.wait()
        report = ["perf", "script", "-F", "ip,sym", "-i", str(data)]
        lines = subprocess.run(report, capture_output=True, text=True, check=False).stdout
    if not lines:
        raise SystemExit("perf has no samples: lower kernel.perf_event_paranoid")
    return Counter(line.split(maxsplit=1)[1] for line in lines.splitlines() if line.strip())


def measure(name: str, cache: Path) -> dict[str, float]:
    """part -> share of the time of the case ``workload/model/case/variant``."""
    workload_name, model_name, case_name, variant = name.split("/")
    workload = WORKLOADS[workload_name]()
    setup = Setup(model_of(workload, model_name), variant, THREADS, cache)
    AttnEngine.prepare(setup)
    engine = AttnEngine(setup)
    cases = [
        case for group in workload.groups if group.model is setup.model for case in group.cases
    ]
    case = next(case for case in cases if case.id == case_name)
    run = partial(getattr(engine, case.op), **case.params)
    run()
    samples = sampled(run, SECONDS)
    parts: Counter[str] = Counter()
    for symbol, count in samples.items():
        parts[part_of(symbol)] += count
    return {part: count / samples.total() for part, count in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", metavar="workload/model/case/variant")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "attnengine-bench"
    )
    options = parser.parse_args()
    columns = [*PARTS, "other"]
    print("| case |", " | ".join(columns), "|")
    print("| --- |", " | ".join("---:" for _ in columns), "|")
    for name in options.names:
        shares = measure(name, options.cache)
        print(
            f"| {name} |",
            " | ".join(f"{100 * shares.get(c, 0):.0f} %" for c in columns),
            "|",
            flush=True,
        )


if __name__ == "__main__":
    main()
