"""Keys and values in float16 and int8 caches, and attention over them."""

from __future__ import annotations

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference.store_keys_values import KEPT, scaled_int8
from tests.kernels.scaled_dot import arguments, assert_close, expected

precisions = pytest.mark.parametrize("precision", KEPT)
head_dims = pytest.mark.parametrize("head_dim", [1, 5, 15, 16, 24, 64, 80, 130])


def pages_of(keys: np.ndarray, values: np.ndarray, precision: str) -> kernels.KeyValuePages:
    return kernels.KeyValuePages(keys, values, cache_precision=precision)


def stored(values: np.ndarray, precision: str) -> np.ndarray:
    """Values (1, heads, head_dim) as the cache rounds them: one position has the weight 1."""
    pages = pages_of(np.zeros_like(values), values, precision)
    return pages.attend(np.zeros_like(values), need_weights=False)[0]


def with_scales_of_two(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Vectors with a largest magnitude of 127 * 2 ** n, so that their int8 scale is 2 ** n."""
    largest = np.abs(x).max(axis=-1, keepdims=True)
    scales = 2.0 ** rng.integers(-9, -4, largest.shape)
    return (np.where(np.abs(x) == largest, np.sign(x), x / largest) * 127 * scales).astype(x.dtype)


@precisions
@head_dims
@pytest.mark.parametrize("rows", [1, 3, 9])
def test_attention_is_float32_over_rounded_numbers(
    rng: np.random.Generator, rows: int, head_dim: int, precision: str
) -> None:
    """Equal bit for bit, because a scale that is a power of two rounds nothing."""
    query, *keys_values = arguments(rng, rows, 150, 4, 2, head_dim)
    keys, values = (with_scales_of_two(rng, x) for x in keys_values)
    lengths = rng.integers(1, 151, rows)
    begins = rng.integers(0, lengths)
    found = pages_of(keys, values, precision).attend(query, lengths, begins=begins)
    rounded = KEPT[precision](keys), KEPT[precision](values)
    right = kernels.scaled_dot_attention(query, *rounded, lengths, begins=begins)
    for y, y_right in zip(found, right, strict=True):
        np.testing.assert_array_equal(y, y_right)
    assert_close(found, expected(query, *rounded, lengths, begins=begins))
    unrounded = kernels.scaled_dot_attention(query, keys, values, lengths, begins=begins)
    assert np.array_equal(found[0], unrounded[0]) == (head_dim == 1)  # 127 * 2 ** n is exact


@head_dims
def test_scales_of_int8(rng: np.random.Generator, head_dim: int) -> None:
    """Scales far apart, none a power of two, with capped scores and slopes."""
    query, keys, values = arguments(rng, 7, 150, 6, 2, head_dim)
    values *= 2.0 ** rng.integers(-20, 3, (150, 2, 1))
    lengths, slopes = rng.integers(1, 151, 7), np.linspace(0.1, 0.6, 6, dtype=np.float32)
    options = {"score_cap": 3.0}
    found = pages_of(keys, values, "int8").attend(query, lengths, slopes=slopes, **options)
    distances = np.arange(150) - (lengths - 1)[:, None]  # (rows, positions)
    bias = slopes[:, None] * distances[:, None]
    rounded = scaled_int8(keys), scaled_int8(values)
    assert_close(found, expected(query, *rounded, lengths, bias=bias, **options))


def numbers_to_round(rng: np.random.Generator) -> np.ndarray:
    """Every float16, the float32 numbers around the middle of two, and random float32 numbers."""
    every = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
    middle = every + 0x1000  # half-way to the next normal float16
    tiny = np.arange(-2048, 2049, dtype=np.float32) * np.float32(2**-25)
    others = rng.integers(0, 2**32, 2**16, dtype=np.uint64).astype(np.uint32)
    bits = np.concatenate([every, middle - 1, middle, middle + 1, tiny.view(np.uint32), others])
    return bits.view(np.float32)


@precisions
@np.errstate(invalid="ignore", over="ignore")  # NumPy on ARM64 warns of signalling NaN
def test_rounding(rng: np.random.Generator, precision: str) -> None:
    numbers = numbers_to_round(rng)
    numbers = np.concatenate([numbers, np.full(-len(numbers) % 8, np.inf, np.float32)])
    values = numbers.reshape(1, -1, 8)
    found = stored(values, precision)
    np.testing.assert_array_equal(found, KEPT[precision](values))
    finite = np.isfinite(values)
    if precision == "int8":  # one number that is not finite makes the whole vector NaN
        finite[:] = finite.all(axis=-1, keepdims=True)
        assert np.isnan(found[~finite]).all()
    assert np.array_equal(np.isfinite(found), finite)


def test_the_largest_half() -> None:
    found = stored(np.float32([[[1e38, -1e38, 65520, np.inf]]]), "float16")
    assert found.tolist() == [[[65504, -65504, 65504, np.inf]]]


def test_halves_of_a_step_are_rounded_to_even_in_int8() -> None:
    found = stored(np.float32([[[127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5]]]), "int8")
    assert found.tolist() == [[[127, 0, 2, 2, 0, -2, -2]]]


@pytest.mark.parametrize(
    ("vector", "kept"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([1e-40, -1e-40, 1e-45], [0, 0, 0]),
        ([2.0**-99, 0, 0], [2.0**-99, 0, 0]),
        ([np.nan, 1, 1], [np.nan] * 3),
        ([1, 1, -np.inf], [np.nan] * 3),
    ],
)
def test_extremes_in_int8(vector: list[float], kept: list[float]) -> None:
    np.testing.assert_allclose(stored(np.float32([[vector]]), "int8"), [[kept]], rtol=2.0**-22)


@precisions
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_shows(rng: np.random.Generator, bad: float, precision: str) -> None:
    for of_values in (0, 1):
        query, *keys_values = arguments(rng, 2, 70, 2, 2, 6)
        keys_values[of_values][69, 1, 5] = bad
        found = pages_of(*keys_values, precision).attend(query, [70, 69], need_weights=False)[0]
        bad_heads = ~np.isfinite(found).all(axis=2)  # (rows, heads)
        assert bad_heads.tolist() == [[False, True], [False, False]]


@precisions
def test_a_large_key_stays_finite(rng: np.random.Generator, precision: str) -> None:
    query, keys, values = arguments(rng, 2, 20, 1, 1, 8)
    keys[3] = 1e6
    assert np.isfinite(pages_of(keys, values, precision).attend(query)[0]).all()


def test_unknown_cache_precisions_are_refused() -> None:
    wanted = 'cache_precision is "int4", expected one of float32, float16, int8'
    with pytest.raises(ValueError, match=wanted):
        pages_of(np.ones((1, 1, 1)), np.ones((1, 1, 1)), "int4")
