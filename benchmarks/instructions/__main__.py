"""Counts the instructions of fixed small runs and compares them with those in counts.json.

    python -m benchmarks.instructions              # a minute; status 1 if a count changed by 2 %
    python -m benchmarks.instructions --accept     # also store the new counts
    python -m benchmarks.instructions --only int8 --profiles FOLDER

It needs valgrind and a processor with AVX2.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from attnengine import _core
from benchmarks.instructions.comparison import Counts, complaints, table
from benchmarks.instructions.counting import ISA, count

COUNTS = Path(__file__).with_name("counts.json")


def check_machine() -> None:
    """Raise SystemExit if valgrind or AVX2 is missing."""
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed: install it with the system's package manager")
    if ISA not in _core.available_isas():
        raise SystemExit(f"the machine has {_core.available_isas()}, expected {ISA!r}")


def compare(found: Counts, accepted: Counts) -> int:
    """Print the changed counts and return the exit status."""
    print(*table(found, accepted), sep="\n")
    if found.compiler != accepted.compiler:
        print(
            f"NOT COMPARED: counts were accepted for {accepted.compiler!r}, and this was compiled"
            f" by {found.compiler!r}"
        )
    wrong = list(complaints(found, accepted))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    if wrong:
        print("If that is meant: python -m benchmarks.instructions --accept")
    return 1 if wrong else 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accept", action="store_true", help="store the new counts in counts.json")
    parser.add_argument("--only", default="", help="run only cases with this text in their name")
    parser.add_argument("--profiles", type=Path, help="folder for callgrind's profiles")
    options = parser.parse_args()
    if options.accept and options.only:
        parser.error("--accept counts everything: leave out --only")
    check_machine()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.profiles or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = Counts(_core.compiler(), count(options.only, folder))
    accepted = Counts.read(COUNTS)
    if not options.accept:
        raise SystemExit(compare(found, accepted))
    print(*table(found, accepted), sep="\n")
    found.write(COUNTS)


if __name__ == "__main__":
    main()
