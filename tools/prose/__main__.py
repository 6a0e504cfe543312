"""Count the sentences of the project: python -m tools.prose [PATH...].

Prints ``file:line`` of each sentence with more than 40 words and of each wording that the project
avoids, then counts by folder and by kind. Exits with 1 where there is one, or where half of the
sentences have 16 words or more.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.prose.sentences import CODE, Sentence, sentences
from tools.prose.texts import texts

LONGEST, MEDIAN = 40, 16  # words
SUFFIXES = {".md", ".py", ".pyi", ".cc", ".h", ".c", ".sh", ".toml", ".yml", ".yaml", ".cmake"}
NAMES = {"CMakeLists.txt", "run"}
AVOIDED = {
    "Of": re.compile(r"^(?:Of|That of|Those)\b"),
    "so many": re.compile(r"\b[Ss]o many\b"),
    "as many as": re.compile(r"\b[Aa]s many as\b"),
    "whose": re.compile(r"\b[Ww]hose\b"),
    "nobody": re.compile(r"\b[Nn]obody\b"),
}


@dataclass(frozen=True)
class Found:
    """A sentence and where it stands."""

    path: Path
    kind: str
    sentence: Sentence

    @property
    def avoided(self) -> list[str]:
        """The wordings in it that the project avoids."""
        return [name for name, form in AVOIDED.items() if form.search(self.sentence.text)]

    @property
    def complaints(self) -> list[str]:
        """What is wrong with it."""
        words = self.sentence.words
        return [f"{words} words"] * (words > LONGEST) + [f'"{name}"' for name in self.avoided]

    def __str__(self) -> str:
        place, text = f"{self.path}:{self.sentence.line}", self.sentence.text
        return f"{place}: {', '.join(self.complaints)}: {text.replace(CODE, '`...`')}"


def find(paths: Iterable[Path]) -> list[Found]:
    """Every sentence of these files."""
    return [
        Found(path, text.kind, sentence)
        for path in paths
        for text in texts(path)
        for sentence in sentences(text.line, text.text, text.code_indent)
    ]


def median(found: list[Found]) -> float:
    """Words of the middle sentence."""
    return statistics.median(f.sentence.words for f in found) if found else 0


def table(found: list[Found], group: Callable[[Found], str]) -> list[str]:
    """A row for each group and one for all."""
    groups: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        groups[group(one)].append(one)
    heads = ["", "sentences", "median", "over 25", f"over {LONGEST}", *AVOIDED]
    rows = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for name, members in [*sorted(groups.items()), ("all", found)]:
        lengths = [one.sentence.words for one in members]
        avoided = [sum(name in one.avoided for one in members) for name in AVOIDED]
        over = [sum(length > limit for length in lengths) for limit in (25, LONGEST)]
        row = [name, str(len(members)), f"{median(members):g}", *map(str, [*over, *avoided])]
        rows.append(f"| {' | '.join(row)} |")
    return rows


def folder(found: Found) -> str:
    """The folder by which sentences are counted: two levels of it."""
    parts = found.path.parts[:-1][:2]
    return "/".join(parts) or found.path.name


def tracked(paths: list[str]) -> list[Path]:
    """The files with prose below these paths that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *paths], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files = [Path(name) for name in listed]
    return [f for f in files if f.is_file() and (f.suffix in SUFFIXES or f.name in NAMES)]


def main() -> int:
    """Print all that is wrong, and the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("paths", nargs="*", default=["."], help="files and folders; by default all")
    options = parser.parse_args()
    found = find(tracked(options.paths))
    wrong = [one for one in found if one.complaints]
    print("\n".join(map(str, wrong)))
    print("\n".join(["", *table(found, folder), "", *table(found, lambda one: one.kind)]))
    return int(bool(wrong) or median(found) >= MEDIAN)


if __name__ == "__main__":
    sys.exit(main())
