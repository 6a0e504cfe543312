"""The Cython kernels compute the same values as the NumPy reference."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine.reference.attention import additive_attention
from attnengine.reference.rnn_gates import gru_gates
from benchmarks.kernels.cython_twins import compiled

pytest.importorskip("Cython")


def normal(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize(("rows", "size"), [(1, 1), (3, 15), (2, 64)])
def test_gru_gates(rows: int, size: int) -> None:
    arrays = normal(rows, 3 * size), normal(rows, 3 * size), normal(rows, size)
    # vectorised exp and tanh are wrong by a few units in the last place
    np.testing.assert_allclose(compiled().gru_gates(*arrays), gru_gates(*arrays), atol=1e-6)


@pytest.mark.parametrize(("beam", "src", "dim"), [(1, 1, 1), (4, 7, 15), (2, 40, 64)])
def test_additive_attention(beam: int, src: int, dim: int) -> None:
    arrays = normal(beam, dim), normal(src, dim), normal(src, dim + 1), normal(dim)
    found = compiled().additive_attention(*arrays)
    for result, wanted in zip(found, additive_attention(*arrays), strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5)  # sums in another order
