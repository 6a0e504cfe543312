from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def check_rows_independent() -> Callable[[Callable[[Rows, int], Floats], int], None]:
    """Asserts that call(rows, num_threads) gives a row the same bits in any batch."""

    def check(call: Callable[[Rows, int], Floats], rows: int) -> None:
        everyone = np.arange(rows)
        expected = call(everyone, 1)
        groups = [everyone, everyone[::-1], everyone[::2], *(everyone[i:] for i in range(1, rows))]
        groups += [everyone[i : i + 1] for i in range(rows)]
        for group in groups:
            for num_threads in (1, 2):
                y = call(group, num_threads)
                assert y.tobytes() == expected[group].tobytes(), (group, num_threads)

    return check
