"""Folders of ml5.js and deeplearn.js: character language models of char-rnn-tensorflow.

manifest.json gives each variable of TensorFlow a shape and a file of raw little-endian float32.
vocab.json has the id of each character.
"""

from __future__ import annotations

from pathlib import Path

UNDERSTANDS = "a folder with the manifest.json and vocab.json of a character model for ml5.js"
MANIFEST, VOCABULARY = "manifest.json", "vocab.json"


def matches(path: Path) -> bool:
    """Whether `path` is a folder with both files."""
    return (path / MANIFEST).is_file() and (path / VOCABULARY).is_file()
