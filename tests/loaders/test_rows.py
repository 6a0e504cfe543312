"""Rows of a weight that are read alone equal the rows of the whole weight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attnengine import loaders
from tests.loaders.hostile import FORMATS


@pytest.mark.filterwarnings("ignore")  # some formats warn of ignored parts
@pytest.mark.parametrize("kind", FORMATS)
def test_rows_are_those_of_the_whole(kind: str, tmp_path: Path) -> None:
    checkpoint = loaders.load(FORMATS[kind](tmp_path / "model"))
    for tensor in checkpoint.tensors.values():
        if tensor.read_rows is None:
            continue
        whole, count = tensor.read(), tensor.shape[0]
        for begin, end in ((0, count), (count // 3, count // 3 + 1), (count // 2, count)):
            np.testing.assert_array_equal(tensor.read_rows(begin, end), whole[begin:end])
