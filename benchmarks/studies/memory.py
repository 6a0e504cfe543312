"""Peak memory and load time of models in every precision, from folders and packed files.

    python -m benchmarks.studies.memory FOLDER...

Each load is a process of its own with two threads and a warm page cache. The time is the median of
three, for `load` alone. The memory is the peak (VmHWM) of the process with Python and imports,
after a prompt of 32 tokens and 16 new ones. A further column has the memory beyond the weights.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import attnengine as ae
from attnengine.packing import LAYOUTS

ROUNDS = 3
PROMPT, NEW = list(range(3, 35)), 16


def peak() -> float:
    """VmHWM of this process in MB, mapped files included."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def one(path: str, precision: str) -> dict[str, float]:
    """Load a model in this process and generate; return seconds and MB."""
    started = time.perf_counter()
    model: Any = ae.load(path, precision=precision, num_threads=2)
    seconds = time.perf_counter() - started
    model.generate(PROMPT, max_new_tokens=NEW, min_new_tokens=NEW)
    return {"seconds": seconds, "peak": peak()}


def measured(path: Path, precision: str) -> str:
    """The cells of a table row: seconds and megabytes."""
    command = [sys.executable, "-m", "benchmarks.studies.memory", str(path), "--one", precision]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(ROUNDS)
    ]
    seconds, most = (statistics.median(run[key] for run in runs) for key in ("seconds", "peak"))
    return f"{seconds:.2f} | {most:.0f}"


def main(folders: list[str]) -> None:
    """Print a row for each model and precision."""
    print("| model | precision | packed, MB | load, s | peak, MB | packed: load, s | peak, MB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for folder in map(Path, folders):
        for precision in LAYOUTS:
            with tempfile.TemporaryDirectory() as place:
                packed = Path(place) / "packed"
                ae.convert(folder, packed, packed=True, precision=precision)
                size = (packed / "packed.bin").stat().st_size / 1e6
                columns = [measured(path, precision) for path in (folder, packed)]
            print(f"| {folder.name} | {precision} | {size:.0f} |", " | ".join(columns), "|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", help="folders of models")
    parser.add_argument(
        "--one", metavar="PRECISION", help="only load the first folder, in this process"
    )
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.folders[0], arguments.one)))
    else:
        main(arguments.folders)
