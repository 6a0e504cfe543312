"""Folders of ELMo (Peters et al. 2018): options.json, weights.hdf5 and a vocabulary.

File names may have a prefix, such as elmo_2x4096_weights.hdf5. The vocabulary has one token per
line. The loader computes the vector of each token from its characters once. A sentence begins with
<S> and ends with </S>. A state concatenates the token's vector and the states of all layers.
"""

from __future__ import annotations

from pathlib import Path

UNDERSTANDS = "a folder of ELMo"
PATTERNS = ("*options.json", "*weights.hdf5", "*vocab*.txt")


def matches(path: Path) -> bool:
    """Whether `path` is a folder with ELMo's options and weights."""
    return path.is_dir() and all(any(path.glob(pattern)) for pattern in PATTERNS[:2])
