"""Position vectors that need no weights."""

from __future__ import annotations

import math

import numpy as np

from attnengine.reference.arrays import Floats, Integers


def sinusoidal(positions: Integers, size: int, layout: str) -> Floats:
    """Return sines and cosines of decreasing frequency, (positions, size) in float64.

    layout "interleaved": sines and cosines alternate; frequency i is 10000^(-2i / size) (Vaswani
    et al. 2017). "halves": all sines, then all cosines; frequency i is 10000^(-i / (size / 2 - 1))
    (tensor2tensor, CTranslate2). "marian": the order of "halves" with the frequencies of
    "interleaved".
    """
    half = size // 2
    steps = max(half - 1, 1) if layout == "halves" else half
    frequencies = np.exp(-math.log(10_000.0) / steps * np.arange(half))  # (half,)
    angles = np.asarray(positions)[:, None] * frequencies  # (positions, half)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1 if layout == "interleaved" else 1)
    return waves.reshape(len(angles), size)
