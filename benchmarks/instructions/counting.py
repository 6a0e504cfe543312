"""Counts instructions with valgrind's callgrind, which repeats its counts exactly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ISA = "avx2"  # valgrind lacks AVX-512
ENVIRONMENT = {"ATTNENGINE_ISA": ISA, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


def count(only: str, folder: Path) -> dict[str, int]:
    """Instructions of each case with the word in its name; the folder keeps the profiles."""
    command = [
        "valgrind",
        "--tool=callgrind",
        "--dump-before=getpgid",
        f"--callgrind-out-file={folder / 'profile'}",
        *(sys.executable, "-m", "benchmarks.instructions.cases", str(folder), only),
    ]
    run = subprocess.run(
        command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {run.returncode}:\n{run.stderr}")
    counts = {}
    for i, name in enumerate(run.stdout.splitlines(), start=1):
        # a profile ends at each mark, and every second profile belongs to a call
        profile = (folder / f"profile.{2 * i}").rename(folder / name.replace("/", " of "))
        counts[name] = total(profile.read_text(encoding="utf-8"))
    return counts


def total(profile: str) -> int:
    found = re.search(r"^totals: (\d+)$", profile, re.MULTILINE)
    if found is None:
        raise SystemExit("callgrind's profile has no line of totals")
    return int(found[1])
