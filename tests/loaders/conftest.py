from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loaders.golden_toolkits import FOLDER


@pytest.fixture
def models() -> Path:
    """The folder of published models."""
    folder = Path(__file__).parents[2].parent / "shared" / "models"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Path]:
    """Copies the folder of a model that its toolkit wrote, so that a test may change it."""

    def copy(name: str) -> Path:
        return shutil.copytree(FOLDER / name, tmp_path / name)

    return copy
