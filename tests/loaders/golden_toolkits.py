"""The models in tests/golden/toolkits, written by the toolkits themselves."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden" / "toolkits"
MODELS = sorted(path.parent for path in FOLDER.glob("*/expected.json"))


def model_of(folder: Path) -> Path:
    """The checkpoint in a folder, or the folder itself if the format is a folder."""
    checkpoints = sorted(folder.glob("*.pt"))
    return checkpoints[0] if checkpoints else folder
