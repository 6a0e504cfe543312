"""JoeyNMT's model folders: config.yaml, a checkpoint (.ckpt) and two vocabularies."""

from __future__ import annotations

from pathlib import Path

UNDERSTANDS = "a folder of JoeyNMT (config.yaml and a .ckpt)"
CONFIG = "config.yaml"


def matches(path: Path) -> bool:
    """Whether `path` is a JoeyNMT folder, or a checkpoint in one."""
    folder = path if path.is_dir() else path.parent
    checkpoint = path.is_dir() and any(path.glob("*.ckpt"))
    return (folder / CONFIG).is_file() and (checkpoint or path.suffix == ".ckpt")
