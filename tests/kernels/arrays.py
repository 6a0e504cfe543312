"""Random arrays for tests of kernels."""

from __future__ import annotations

import numpy as np


def floats(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Normal float32 numbers."""
    return rng.normal(size=shape).astype(np.float32)
