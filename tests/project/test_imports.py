"""The public names, and who may import whom."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import attnengine as ae

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "attnengine"

# part -> parts of the package that it must not import
FORBIDDEN = {
    "decoding": {"models", "engines", "loaders", "cli", "reference"},
    "packing": {"decoding", "engines", "loaders", "models", "cli", "reference"},
    "models": {"decoding", "engines", "loaders", "cli", "reference"},
    "loaders": {"decoding", "engines", "models", "cli", "reference", "_core"},
    "engines": {"cli", "g2p", "profiling", "reference"},
    "g2p": {"cli", "profiling", "reference"},
    "profiling": {"cli", "g2p", "reference"},
    "cli": {"_core", "models", "reference"},
}


def imported(file: Path) -> set[str]:
    """Parts of the package that a file imports when it runs."""
    names = set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("attnengine.")}


@pytest.mark.parametrize("part", FORBIDDEN)
def test_nothing_points_backwards(part: str) -> None:
    files = [PACKAGE / f"{part}.py", *(PACKAGE / part).rglob("*.py")]
    found = {file.name: imported(file) & FORBIDDEN[part] for file in files if file.exists()}
    assert found
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_public_names() -> None:
    assert [name for name in ae.__all__ if not hasattr(ae, name)] == []
    assert issubclass(ae.InvalidArgument, (ae.Error, ValueError))
    assert issubclass(ae.FormatError, (ae.Error, ValueError))
    assert issubclass(ae.Unsupported, (ae.Error, NotImplementedError))


def test_version_is_that_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert found is not None
    assert ae.__version__ == found[1]
