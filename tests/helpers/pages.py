"""Finds and runs the code blocks of a Markdown page.

    python -m tests.helpers.pages PAGE

runs a page in this process and in the current folder. Python blocks run from top to bottom in
one namespace. Shell blocks that call `attnengine` run between them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^```(python|bash)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)
# Shell blocks that begin with one of these words run; the other blocks set up a machine.
RUN = re.compile(r"^(attnengine|echo|printf) ")


@dataclass(frozen=True)
class Block:
    language: str
    line: int  # line of the page above the block's first line
    code: str
    expected: str | None  # expected output of a shell block


def blocks(text: str) -> Iterator[Block]:
    """Every block that is marked as Python or shell."""
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start(2))
        yield Block(match[1], line, match[2], match[3])


def run_page(page: Path) -> None:
    namespace = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            # Empty lines before the code let tracebacks show the line of the page.
            code = "\n" * block.line + block.code
            exec(compile(code, str(page), "exec", dont_inherit=True), namespace)
        elif RUN.match(block.code):
            run_shell(f"{page.name}, line {block.line + 1}", block)


def run_shell(where: str, block: Block) -> None:
    script = ["bash", "-euo", "pipefail", "-c", block.code]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{where}: {done.stderr}"
    if block.expected is not None:
        assert done.stdout == block.expected, f"{where}: printed {done.stdout!r}"


if __name__ == "__main__":
    run_page(Path(sys.argv[1]))
