"""Every Python block of every page in docs/ runs, top to bottom, in one namespace per page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Line number and code of every block that is marked as Python."""
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start(1)), match.group(1)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a page may write files
    namespace = {"__name__": "__main__"}
    for line, code in blocks(page.read_text(encoding="utf-8")):
        # empty lines before the code make tracebacks show the line of the page
        exec(compile("\n" * line + code, str(page), "exec", dont_inherit=True), namespace)


def test_blocks_are_found_with_their_lines() -> None:
    text = "# Title\n```python\na = 1\n```\n```bash\nls\n```\n\n```python\nb = 2\n\nc = 3\n```\n"
    assert list(blocks(text)) == [(2, "a = 1\n"), (9, "b = 2\n\nc = 3\n")]
