"""Convolutions over time in NumPy."""

from __future__ import annotations

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.linear import linear


def convolution(x: Floats, weight: Floats, bias: Floats, stride: int = 1) -> Floats:
    """Convolve x (rows, in) with weight (out, in, 3): (ceil(rows / stride), out).

    A row of zeros pads either end.
    """
    padded = np.pad(x, ((1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=0)[::stride]
    flat = windows.reshape(len(windows), -1)  # (rows, in * 3)
    return linear(flat, weight.reshape(len(weight), -1), bias)
