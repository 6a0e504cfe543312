"""Rows unpacked from packed weights have the bits of the NumPy twin."""

from __future__ import annotations

import numpy as np
import pytest

import attnengine as ae
from attnengine import kernels, packing
from attnengine.reference.unpack import unpack


@pytest.mark.parametrize("precision", packing.LAYOUTS)
@pytest.mark.parametrize("size_in", [1, 3, 32, 33, 64, 65, 97, 130, 514])  # around pairs and blocks
@pytest.mark.parametrize("size_out", [1, 16, 33])
def test_the_bits_of_the_twin(
    rng: np.random.Generator, precision: str, size_in: int, size_out: int
) -> None:
    weight = rng.normal(size=(size_out, size_in)).astype(np.float32)
    outputs = rng.permutation(size_out)
    found = kernels.PackedLinear(weight, precision=precision).unpack(outputs)
    np.testing.assert_array_equal(found, unpack(weight, precision)[outputs])


@pytest.mark.parametrize("precision", packing.LAYOUTS)
def test_what_is_not_a_number(rng: np.random.Generator, precision: str) -> None:
    weight = rng.normal(size=(20, 70)).astype(np.float32)
    weight[3, 66] = np.nan
    rows = kernels.PackedLinear(weight, precision=precision).unpack(range(20))
    assert np.isnan(rows[3, 66])
    assert np.isfinite(np.delete(rows, 3, axis=0)).all()


@pytest.mark.parametrize("output", [-1, 20])
def test_an_output_that_is_not_there(output: int) -> None:
    layer = kernels.PackedLinear(np.ones((20, 3)))
    with pytest.raises(ae.InvalidArgument, match=rf"outputs\[1\] is {output}, expected 0 to 19"):
        layer.unpack([0, output])
