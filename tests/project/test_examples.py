"""Every example runs unchanged in a folder of its own and prints the expected output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SAYS = {
    "beam_search.py": "probability 0.38  a dog",
    "bring_your_own_model.py": "after 'stu' comes vwxyz",
    "generate.py": "greedy:  ",
    "score.py": "R EH1 K ER0 D",
    "translate.py": "AH0 T EH1 N SH AH0 N",
}


def test_all_are_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_example(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert SAYS[name] in done.stdout
