"""Weights read in blocks of rows are packed to the same bytes as whole weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attnengine import InvalidArgument, _core, packing
from attnengine.loaders.files import safetensors
from attnengine.models.matrix import Matrix, stacked
from attnengine.models.settings import BuildSettings
from attnengine.models.weights import Weights


def matrix(array: np.ndarray) -> Matrix:
    return Matrix.of(array.shape, lambda: array)


@pytest.mark.parametrize("precision", packing.LAYOUTS)
def test_rows_of_a_file(tmp_path: Path, precision: str) -> None:
    """The weight is so wide that a block has 16 rows; the last block is not full."""
    weight = np.random.default_rng(0).normal(size=(40, 1 << 17)).astype(np.float32)
    safetensors.write(tmp_path / "weights", {"weight": weight})
    settings = BuildSettings(precision=precision)
    weights = Weights(safetensors.read(tmp_path / "weights"), settings)
    found = weights.matrix("weight", *weight.shape)
    packed = weights.pack(found).packed
    np.testing.assert_array_equal(packed, _core.Linear(weight, settings=settings).packed)
    np.testing.assert_array_equal(found.read(), weight)


def test_changed_rows() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 20, 3)).astype(np.float32)
    both = stacked([matrix(first), matrix(second).scaled(3)])
    expected = np.concatenate([first, 3 * second])
    assert both.shape == expected.shape
    np.testing.assert_array_equal(both.read(), expected)
    for begin, end in [(0, 20), (19, 21), (20, 40), (5, 6)]:
        np.testing.assert_array_equal(both.rows(begin, end), expected[begin:end])
    np.testing.assert_array_equal(both.part(15, 30).rows(2, 9), expected[17:24])


def test_a_view_is_whole_after_the_next_one(tmp_path: Path) -> None:
    """Reading a tensor may release the pages of an earlier one; they load again when used."""
    weights = {name: np.full((200, 200), i, np.float32) for i, name in enumerate("abc")}
    safetensors.write(tmp_path / "weights", weights)
    tensors = safetensors.read(tmp_path / "weights")
    arrays = {name: tensors[name].read() for name in weights}
    for name, weight in weights.items():
        np.testing.assert_array_equal(arrays[name], weight)


def test_rows_of_another_shape() -> None:
    with pytest.raises(InvalidArgument, match=r"rows.shape\[0\] is 3, expected 4"):
        _core.Linear(lambda begin, end: np.ones((3, 2)), out_features=4, in_features=2)
    with pytest.raises(InvalidArgument, match=r"rows.shape\[1\] is 3, expected 2"):
        _core.Linear(lambda begin, end: np.ones((4, 3)), out_features=4, in_features=2)
    with pytest.raises(InvalidArgument, match="out_features and in_features are 0 and 2"):
        _core.Linear(lambda begin, end: np.ones((4, 3)), out_features=0, in_features=2)


def test_what_the_reader_raises_comes_through() -> None:
    def fail(begin: int, end: int) -> np.ndarray:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        _core.Linear(fail, out_features=4, in_features=2)
