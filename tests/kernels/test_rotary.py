from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference.rotary import dynamic_frequencies, rotate


@pytest.mark.parametrize("rows", [1, 3, 8])
@pytest.mark.parametrize("heads", [1, 5])
@pytest.mark.parametrize(("head_dim", "half"), [(2, 1), (10, 5), (64, 32), (80, 16)])
def test_rotary(rng: np.random.Generator, rows: int, heads: int, head_dim: int, half: int) -> None:
    x = rng.normal(size=(rows, heads, head_dim)).astype(np.float32)
    positions = rng.integers(0, 2000, rows)
    frequencies = (10_000.0 ** -(np.arange(half) / half)).astype(np.float32)

    y = kernels.rotary(x, positions, frequencies, 1.25)

    # float32 rounds angles, in training too, by up to 2000 * 2 ** -24 radians
    expected = rotate(x.astype(np.float64), positions, frequencies.astype(np.float64), 1.25)
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-3)
    near = kernels.rotary(x, np.minimum(positions, 7), frequencies, 1.25)
    expected = rotate(x.astype(np.float64), np.minimum(positions, 7), frequencies, 1.25)
    np.testing.assert_allclose(near, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("half", [2, 3, 32])
def test_dynamic_frequencies(rng: np.random.Generator, half: int) -> None:
    x = rng.normal(size=(6, 2, 2 * half)).astype(np.float32)
    positions = np.array([0, 31, 32, 33, 64, 200])  # trained up to 31
    frequencies = 10_000.0 ** -(np.arange(half) / half)

    y = kernels.rotary(x, positions, frequencies, dynamic=(10_000.0, 4.0, 32))

    grown = dynamic_frequencies(positions, frequencies, 10_000.0, 4.0, 32)
    # float32 rounds angles of up to 200 radians
    np.testing.assert_allclose(y, rotate(x, positions, grown), rtol=0, atol=1e-4)
    plain = kernels.rotary(x, positions, frequencies)
    np.testing.assert_array_equal(y[:2], plain[:2])
    assert (y[2:] != plain[2:]).any(axis=(1, 2)).all()


def test_rotation_keeps_lengths_and_depends_on_distance(rng: np.random.Generator) -> None:
    query, key = rng.normal(size=(2, 1, 1, 32)).astype(np.float32)
    frequencies = 100.0 ** -(np.arange(16) / 16)
    scores = [
        np.vdot(
            kernels.rotary(query, [at], frequencies), kernels.rotary(key, [at - 5], frequencies)
        )
        for at in (5, 17, 90)
    ]
    np.testing.assert_allclose(scores, scores[0], rtol=1e-4)
    turned = kernels.rotary(query, [77], frequencies)
    np.testing.assert_allclose(np.linalg.norm(turned), np.linalg.norm(query), rtol=1e-6)


def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None]
) -> None:
    x, positions = rng.normal(size=(9, 50, 128)), rng.integers(0, 100, 9)
    frequencies = 100.0 ** -(np.arange(64) / 64)
    check_rows_independent(
        lambda i, threads: kernels.rotary(x[i], positions[i], frequencies, num_threads=threads), 9
    )


def test_arguments_are_named() -> None:
    x = np.zeros((2, 1, 4))
    with pytest.raises(ValueError, match=r"positions.shape\[0\] is 1, expected 2"):
        kernels.rotary(x, [1], [1.0])
    with pytest.raises(ValueError, match=r"frequencies.shape\[0\] is 3, expected at most half of"):
        kernels.rotary(x, [1, 2], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="frequencies has one, expected at least 2 with dynamic"):
        kernels.rotary(x, [1, 2], [1.0], dynamic=(1e4, 2.0, 32))
    with pytest.raises(ValueError, match="dynamic is out of range, expected base > 0, factor >= 1"):
        kernels.rotary(x, [1, 2], [1.0, 0.1], dynamic=(1e4, 0.5, 32))
    with pytest.raises(ValueError, match=r"frequencies.shape\[0\] is 0, expected at least 1"):
        kernels.rotary(x, [1, 2], [])


@pytest.mark.parametrize("bad", [1.5, np.nan, True])
def test_positions_are_integers(bad: float) -> None:
    with pytest.raises(ValueError, match="positions"):
        kernels.rotary(np.zeros((1, 1, 4)), np.array([bad]), [1.0])
