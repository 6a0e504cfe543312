"""The documentation is right: its code runs, and its links lead to existing files.

Each page runs in a process of its own. Python blocks run from top to bottom in one namespace.
Shell blocks that call `attnengine` run too, and must print the ```text block directly below.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from attnengine.models import config as configs
from attnengine.models.decoders import transformer_lm
from attnengine.models.rnns import rnn_encoder, rnn_lm, rnn_seq2seq, rnn_window_lm
from attnengine.models.seq2seqs import transformer
from attnengine.models.speech import whisper
from tests.helpers.pages import Block, blocks

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("attnengine", "benchmarks", "docs", "tests", "training", ".github")
TEXTS = sorted([*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*.md"))])
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def needs_torch(page: Path) -> bool:
    """Whether a Python block of the page imports torch."""
    code = [b.code for b in blocks(page.read_text(encoding="utf-8")) if b.language == "python"]
    return any(re.search(r"^\s*(import|from) torch\b", one, re.MULTILINE) for one in code)


def parameter(page: Path) -> Any:
    marks = [pytest.mark.peers] if needs_torch(page) else []
    return pytest.param(page, id=page.name, marks=marks)


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `attnengine` is the command line of this checkout."""
    script = tmp_path / "bin" / "attnengine"
    script.parent.mkdir()
    run = f'exec "{sys.executable}" -c "from attnengine.cli import main; main()" "$@"'
    script.write_text(f"#!/bin/sh\n{run}\n")
    script.chmod(0o755)
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("page", [parameter(page) for page in PAGES])
def test_page(page: Path, tmp_path: Path, shell: dict[str, str]) -> None:
    if needs_torch(page):
        pytest.importorskip("torch")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.helpers.pages", str(page)],
        cwd=tmp_path,  # a page may write files
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = set(LINK.findall(index.read_text(encoding="utf-8")))
    assert {page.name for page in PAGES[1:]} - {index.name} <= linked


def literals(hint: Any) -> Iterator[str]:
    """The string literals that a type allows."""
    for part in get_args(hint):
        if isinstance(part, str):
            yield part
        else:
            yield from literals(part)


@pytest.mark.parametrize(
    "architecture",
    [rnn_encoder, rnn_lm, rnn_seq2seq, rnn_window_lm, transformer, transformer_lm, whisper],
)
def test_every_key_and_value_is_documented(architecture: Any) -> None:
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    start = page.index("### `" + architecture.__name__.rpartition(".")[2])
    tables = page[page.index("### Text and special") : page.index("#", start + 4)]
    for name, hint in get_type_hints(architecture.Config).items():
        assert f"`{name}`" in tables
        for value in literals(hint):
            assert f'`"{value}"`' in tables, name
    for key in configs.TOKEN_KEYS:
        assert f"`{key}`" in tables


def test_blocks_are_found_with_their_lines() -> None:
    text = "# Title\n```python\na = 1\n```\n```bash\nls\n```\n\n```text\nout\n```\n\n```c\n;\n```\n"
    assert list(blocks(text)) == [
        Block("python", 2, "a = 1\n", None),
        Block("bash", 5, "ls\n", "out\n"),
    ]
