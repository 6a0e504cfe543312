"""Writes a small .npz file of the package g2p_en.

Names and shapes follow the toolkit's documentation and published files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.loaders.arrays import random_arrays

EMBEDDING, UNITS = 5, 4


def write_g2p_en(folder: Path) -> Path:
    """Small weights, with the vocabulary sizes 29 and 74 that the package's code fixes."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, tuple[int, ...]] = {
        "enc_emb": (29, EMBEDDING),
        "dec_emb": (74, EMBEDDING),
        "fc_w": (74, UNITS),
        "fc_b": (74,),
    }
    for side in ("enc", "dec"):
        shapes |= {f"{side}_w_ih": (3 * UNITS, EMBEDDING), f"{side}_w_hh": (3 * UNITS, UNITS)}
        shapes |= {f"{side}_b_ih": (3 * UNITS,), f"{side}_b_hh": (3 * UNITS,)}
    np.savez(folder / "checkpoint20.npz", **random_arrays(shapes))
    return folder / "checkpoint20.npz"
