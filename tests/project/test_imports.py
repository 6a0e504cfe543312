"""The public names, and the allowed imports between parts of the package."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import attnengine as ae

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "attnengine"

# Data flows one way: a part imports only parts from earlier lines, none from its own line.
ORDER = (
    ("errors", "version"),
    ("_core",),
    ("audio", "loaders", "packing"),
    ("tokenizers",),
    ("chat", "kernels", "models"),
    ("decoding",),
    ("scheduling",),
    ("engines",),
    ("g2p", "plots", "profiling"),
    ("integrations", "server"),
    ("cli",),
    ("__main__",),
)
RANK = {part: rank for rank, parts in enumerate(ORDER) for part in parts}
# Parts that do not run models must not import the compiled module.
WITHOUT_CORE = {"cli", "g2p", "loaders", "tokenizers"}
# The reference uses NumPy alone; only tests and benchmarks import it.
APART = {"reference"}


def imported(file: Path) -> set[str]:
    """Parts of the package that a file imports at run time."""
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
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("attnengine.")}


def parts() -> list[str]:
    """The parts of the package: Python files and folders."""
    names = {path.stem for path in PACKAGE.glob("*.py")}
    names |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return sorted(names - {"__init__"})


def files(part: str) -> list[Path]:
    """The Python files of a part."""
    return [
        file for file in [PACKAGE / f"{part}.py", *(PACKAGE / part).rglob("*.py")] if file.exists()
    ]


def test_every_part_has_a_place() -> None:
    assert set(parts()) <= RANK.keys() | APART


@pytest.mark.parametrize("part", [part for part in parts() if part not in APART])
def test_nothing_points_backwards(part: str) -> None:
    allowed = {other for other, rank in RANK.items() if rank < RANK[part]} | {part}
    allowed -= {"_core"} if part in WITHOUT_CORE else set()
    found = {file.name: imported(file) - allowed for file in files(part)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_reference_stands_alone() -> None:
    assert all(imported(file) <= APART for file in files("reference"))


def test_the_face_is_imported_by_nobody_inside() -> None:
    face = set(ae.__all__) - {path.stem for path in PACKAGE.iterdir()}
    for file in set(PACKAGE.rglob("*.py")) - {PACKAGE / "__init__.py"}:
        assert imported(file) & face == set(), file
        assert not re.search(r"^\s*import attnengine\b", file.read_text("utf-8"), re.MULTILINE), (
            file
        )


def test_public_names() -> None:
    assert [name for name in ae.__all__ if not hasattr(ae, name)] == []
    assert set(ae.__all__) <= set(dir(ae))
    with pytest.raises(AttributeError, match="module 'attnengine' has no attribute 'lode'"):
        ae.lode  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_the_public_names() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("attnengine")
        for alias in node.names
    }
    assert seen | {"__version__"} == set(ae.__all__)


def test_names_are_imported_when_they_are_used() -> None:
    code = """
import sys
import attnengine as ae
assert "numpy" not in sys.modules
assert ae.kernels.softmax([[0.0]]) == 1
assert "attnengine.engines" not in sys.modules
assert ae.g2p.PATH.is_dir()
assert ae.decoding.options.BeamOptions().beam_size == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_checkout_that_is_not_built_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "attnengine").mkdir()
    shutil.copy(PACKAGE / "__init__.py", tmp_path / "attnengine")
    run = subprocess.run(
        [sys.executable, "-S", "-c", "import attnengine"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "holds sources that are not built: run `pip install -e .`" in run.stderr


def test_errors_have_bases_of_python() -> None:
    assert issubclass(ae.InvalidArgument, (ae.Error, ValueError))
    assert issubclass(ae.FormatError, (ae.Error, ValueError))
    assert issubclass(ae.Unsupported, (ae.Error, NotImplementedError))


def test_version_is_that_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert found is not None
    assert ae.__version__ == found[1]
