"""NumPy's .npz archives of several toolkits, recognised by their arrays and configs."""

from __future__ import annotations

from pathlib import Path

UNDERSTANDS = "an .npz file of Marian or g2p_en, or with its config in a .json beside it"


def matches(path: Path) -> bool:
    """Whether `path` is an .npz file."""
    return path.is_file() and path.suffix == ".npz"
