from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The writers of test files are also a part of hostile.py, which runs as a script.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def models() -> Path:
    """The models that others trained."""
    folder = Path(__file__).parents[2].parent / "shared" / "models"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder
