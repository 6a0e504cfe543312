from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import attnengine.errors
from tests.loaders.hostile import FORMATS, MIB

# CI tries ten times more.
MUTATIONS = int(os.environ.get("ATTNENGINE_MUTATIONS", "100"))


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_load_or_are_refused(kind: str, tmp_path: Path) -> None:
    package, project = Path(attnengine.errors.__file__).parents[1], Path(__file__).parents[2]
    script = Path(__file__).with_name("hostile.py")

    done = subprocess.run(
        [sys.executable, str(script), kind, str(tmp_path / "model"), str(MUTATIONS)],
        env={
            **os.environ,
            "PYTHONPATH": f"{package}{os.pathsep}{project}",
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["loaded"] + counts["refused"] == MUTATIONS
    # Most damage hits weights or text and stays unnoticed; at least a quarter must be refused.
    assert counts["refused"] > MUTATIONS // 4
    # Memory beyond eight times the weights. Loaders may take 64 MiB for any file; these have 20 kB.
    assert counts["memory"] < 4 * MIB
