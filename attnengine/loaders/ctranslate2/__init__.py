"""CTranslate2's folders: model.bin, config.json from version 6 on, vocabularies."""

from __future__ import annotations

from pathlib import Path

UNDERSTANDS = "a CTranslate2 folder (model.bin and vocabularies)"


def matches(path: Path) -> bool:
    """Whether `path` is a folder with a model.bin."""
    return (path / "model.bin").is_file()
