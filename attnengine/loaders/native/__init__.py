"""The native folder: config.json, model.safetensors and vocabularies as JSON lists."""

from __future__ import annotations

from pathlib import Path

UNDERSTANDS = "a native folder (config.json and model.safetensors)"
FORMAT = "attnengine"
FORMAT_VERSION = 1
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
VOCABULARY_FILES = {
    "vocabulary": "vocabulary.json",
    "source": "source_vocabulary.json",
    "target": "target_vocabulary.json",
}


def matches(path: Path) -> bool:
    """Whether `path` is a folder with a config, or a weights file that may have one beside it."""
    return (path / CONFIG).is_file() or (path.is_file() and path.suffix == ".safetensors")
