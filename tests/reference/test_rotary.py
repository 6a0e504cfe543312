from __future__ import annotations

import math

import numpy as np
import pytest

from attnengine.reference.norm import rms_norm
from attnengine.reference.rotary import rotary_frequencies, rotate


def test_rms_norm_by_hand() -> None:
    y = rms_norm(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([1.0, 2.0]), eps=0.5)
    root = math.sqrt(12.5 + 0.5)
    np.testing.assert_allclose(y, [[3 / root, 8 / root], [0, 0]])


def test_a_quarter_turn() -> None:
    x = np.array([[[1.0, 2.0, 10.0, 20.0]]])  # pairs (1, 10) and (2, 20)
    y = rotate(x, np.array([1]), np.array([math.pi / 2, 0.0]))
    np.testing.assert_allclose(y, [[[-10, 2, 1, 20]]], atol=1e-6)  # angles are float32


def test_scores_depend_on_the_distance_alone() -> None:
    query, key = np.random.default_rng(0).normal(size=(2, 1, 1, 8))
    frequencies, _ = rotary_frequencies(8, 10_000.0)

    def score(q: int, k: int) -> float:
        one, other = (
            rotate(x, np.array([p]), frequencies)[0, 0] for x, p in ((query, q), (key, k))
        )
        return float(one @ other)

    assert score(9, 4) == pytest.approx(score(105, 100), abs=1e-4)  # angles are float32
    assert abs(score(9, 4) - score(9, 5)) > 1e-2


def test_dimensions_beyond_the_frequencies_stay() -> None:
    x = np.random.default_rng(0).normal(size=(3, 2, 6))
    y = rotate(x, np.array([5, 6, 7]), np.array([0.5, 0.1]), factor=2.0)
    np.testing.assert_array_equal(y[..., 4:], x[..., 4:])
    pairs = x[..., :2] ** 2 + x[..., 2:4] ** 2
    np.testing.assert_allclose(y[..., :2] ** 2 + y[..., 2:4] ** 2, 4 * pairs)


def test_default_frequencies() -> None:
    frequencies, factor = rotary_frequencies(4, 10_000.0)
    np.testing.assert_allclose(frequencies, [1, 0.01])
    assert factor == 1
    halved, _ = rotary_frequencies(4, 10_000.0, {"rope_type": "linear", "factor": 2.0})
    np.testing.assert_allclose(halved, [0.5, 0.005])


def test_llama3_and_yarn_keep_short_waves_and_slow_long_ones() -> None:
    plain, _ = rotary_frequencies(64, 10_000.0)
    numbers = {
        "factor": 4.0,
        "original_max_position_embeddings": 256,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
    }
    for kind in ("llama3", "yarn"):
        scaled, _ = rotary_frequencies(64, 10_000.0, {"rope_type": kind, **numbers})
        ratio = scaled / plain
        assert ratio[0] == pytest.approx(1)
        assert ratio[-1] == pytest.approx(1 / 4)
        assert (np.diff(ratio) <= 1e-12).all()
        assert ((ratio > 0.26) & (ratio < 0.99)).any()


def test_unknown_scaling() -> None:
    with pytest.raises(ValueError, match="rope_type is 'su'"):
        rotary_frequencies(4, 10_000.0, {"rope_type": "su"})
