"""Compares the first bytes of a file."""

from __future__ import annotations

from pathlib import Path


def starts_with(path: Path, signature: bytes) -> bool:
    """Whether `path` is a file that begins with `signature`."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(signature)) == signature
