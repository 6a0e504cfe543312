from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "attnengine" / "reference"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_needs_numpy_alone(file: Path) -> None:
    modules = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    ours = {module for module in modules if module.startswith("attnengine.reference.")}
    roots = {module.split(".")[0] for module in modules - ours}
    assert roots <= {"numpy", *sys.stdlib_module_names}
