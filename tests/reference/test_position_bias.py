"""Position biases against the papers' values; T5's buckets against transformers."""

from __future__ import annotations

import numpy as np
import pytest

from attnengine.reference.position_bias import (
    alibi_bias,
    alibi_slopes,
    relative_buckets,
    table_bias,
)


def test_slopes_of_a_power_of_two_and_between() -> None:
    np.testing.assert_allclose(alibi_slopes(8), 2.0 ** -np.arange(1, 9))
    np.testing.assert_allclose(alibi_slopes(3), [2.0**-4, 2.0**-8, 2.0**-2])


def test_alibi_is_linear_in_the_distance() -> None:
    bias = alibi_bias(np.array([0.5, 0.25]), np.array([2]), 4)
    np.testing.assert_array_equal(bias, [[[-1, -0.5, 0, 0.5], [-0.5, -0.25, 0, 0.25]]])


def test_a_table_ends_where_it_reaches() -> None:
    table = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(table_bias(table, np.array([2]), 5), [[[1, 1, 2, 3, 3]]])


@pytest.mark.peers
@pytest.mark.parametrize("bidirectional", [False, True])
def test_buckets_are_those_of_transformers(bidirectional: bool) -> None:
    torch = pytest.importorskip("torch")
    from transformers.models.t5.modeling_t5 import T5Attention

    distance = np.arange(-300, 301)
    expected = T5Attention._relative_position_bucket(
        torch.from_numpy(distance), bidirectional=bidirectional, num_buckets=32, max_distance=128
    )
    found = relative_buckets(distance, 32, 128, bidirectional=bidirectional)
    np.testing.assert_array_equal(found, expected.numpy())
