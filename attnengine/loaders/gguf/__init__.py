"""GGUF files of llama.cpp: config, tokenizer and weights, quantised or not, in one file."""

from __future__ import annotations

from pathlib import Path

from attnengine.loaders.files.signature import starts_with

UNDERSTANDS = "a GGUF file"
MAGIC = b"GGUF"


def matches(path: Path) -> bool:
    """Whether `path` is a file with GGUF's magic number or its suffix."""
    return starts_with(path, MAGIC) or (path.is_file() and path.suffix == ".gguf")
