"""Folders of ELMo (Peters et al. 2018): options.json, weights.hdf5 and a vocabulary.

Names may have something before them, such as elmo_2x4096_weights.hdf5. The vectors of tokens come
from their characters once, for the tokens of the vocabulary (one a line); a sentence stands between
<S> and </S>. A state is the token's vector and those of all layers, side by side.
"""

from __future__ import annotations

from pathlib import Path

UNDERSTANDS = "a folder of ELMo"
PATTERNS = ("*options.json", "*weights.hdf5", "*vocab*.txt")


def matches(path: Path) -> bool:
    """Whether `path` is a folder with ELMo's options and weights."""
    return path.is_dir() and all(any(path.glob(pattern)) for pattern in PATTERNS[:2])
