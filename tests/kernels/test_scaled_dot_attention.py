from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.models.precisions import CACHE_BYTES as PRECISIONS
from attnengine.reference.position_bias import alibi_bias, alibi_slopes, table_bias
from tests.kernels.scaled_dot import arguments, assert_close, expected


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 17, 64])
@pytest.mark.parametrize("positions", [1, 7, 64, 65, 150])
@pytest.mark.parametrize("head_dim", [4, 16])
def test_scaled_dot_attention(
    rng: np.random.Generator, rows: int, positions: int, head_dim: int
) -> None:
    arrays = arguments(rng, rows, positions, 2, 2, head_dim)
    assert_close(kernels.scaled_dot_attention(*arrays), expected(*arrays))


@pytest.mark.parametrize("head_dim", [1, 2, 3, 4, 5, 7, 8, 9, 15, 24, 31, 64, 72, 80, 96, 128, 130])
def test_head_dims(rng: np.random.Generator, head_dim: int) -> None:
    arrays = arguments(rng, 3, 70, 2, 2, head_dim)
    assert_close(kernels.scaled_dot_attention(*arrays), expected(*arrays))


@pytest.mark.parametrize(("heads", "kv_heads"), [(1, 1), (4, 1), (6, 2), (8, 8)])
def test_grouped_heads_and_causal_lengths(
    rng: np.random.Generator, heads: int, kv_heads: int
) -> None:
    arrays = arguments(rng, 70, 70, heads, kv_heads, 8)
    lengths = np.arange(1, 71)
    result = kernels.scaled_dot_attention(*arrays, lengths)
    assert_close(result, expected(*arrays, lengths))
    assert np.all(result[1][0, :, 1:] == 0)


@pytest.mark.parametrize("window", [1, 15, 16, 17, 64, 100])
def test_windows(rng: np.random.Generator, window: int) -> None:
    arrays = arguments(rng, 150, 150, 4, 2, 8)
    lengths = np.arange(1, 151)
    begins = np.maximum(lengths - window, 0)
    result = kernels.scaled_dot_attention(*arrays, lengths, begins=begins)
    assert_close(result, expected(*arrays, lengths, begins=begins))
    for row in (40, 149):  # a row alone has the same bits
        alone = kernels.scaled_dot_attention(
            arrays[0][[row]], *arrays[1:], lengths[[row]], begins=begins[[row]]
        )
        np.testing.assert_array_equal(alone[0][0], result[0][row])


def test_pages_serve_many_calls(rng: np.random.Generator) -> None:
    query, keys, values = arguments(rng, 8, 100, 4, 2, 24)
    pages = kernels.KeyValuePages(keys, values)
    for rows in (slice(0, 1), slice(0, 8)):
        result = pages.attend(query[rows])
        np.testing.assert_array_equal(
            result[0], kernels.scaled_dot_attention(query[rows], keys, values)[0]
        )


def test_scale(rng: np.random.Generator) -> None:
    arrays = arguments(rng, 2, 9, 2, 2, 8)
    assert_close(kernels.scaled_dot_attention(*arrays, scale=0.1), expected(*arrays, scale=0.1))


@pytest.mark.parametrize("positions", [1, 9, 130])
def test_score_cap(rng: np.random.Generator, positions: int) -> None:
    arrays = arguments(rng, 3, positions, 4, 2, 8)
    result = kernels.scaled_dot_attention(*arrays, scale=3.0, score_cap=5.0)
    assert_close(result, expected(*arrays, scale=3.0, score_cap=5.0))


@pytest.mark.parametrize("reach", [0, 3, 200])
def test_position_bias_by_distance(rng: np.random.Generator, reach: int) -> None:
    arrays = arguments(rng, 4, 130, 4, 2, 8)
    lengths, places = np.array([130, 70, 64, 1]), np.array([100, 0, 63, 0])
    table = rng.normal(size=(4, 2 * reach + 1)).astype(np.float32)
    result = kernels.scaled_dot_attention(*arrays, lengths, position_bias=table, places=places)
    assert_close(result, expected(*arrays, lengths, bias=table_bias(table, places, 130)))


def test_slopes_from_the_last_position_seen(rng: np.random.Generator) -> None:
    arrays = arguments(rng, 70, 70, 6, 3, 8)
    lengths, slopes = np.arange(1, 71), alibi_slopes(6).astype(np.float32)
    result = kernels.scaled_dot_attention(*arrays, lengths, slopes=slopes)
    assert_close(result, expected(*arrays, lengths, bias=alibi_bias(slopes, lengths - 1, 70)))


def test_bias_of_keys(rng: np.random.Generator) -> None:
    arrays = arguments(rng, 3, 130, 4, 2, 8)
    lengths, bias = np.array([130, 65, 1]), rng.normal(size=(4, 130)).astype(np.float32)
    result = kernels.scaled_dot_attention(*arrays, lengths, key_bias=bias)
    assert_close(result, expected(*arrays, lengths, bias=bias[None]))


def test_context_does_not_depend_on_the_weights_being_wanted(rng: np.random.Generator) -> None:
    arrays = arguments(rng, 3, 130, 2, 1, 12)
    context, weights = kernels.scaled_dot_attention(*arrays, need_weights=False)
    assert weights.shape == (3, 2, 0)
    np.testing.assert_array_equal(context, kernels.scaled_dot_attention(*arrays)[0])


def test_a_maximum_that_grows_from_block_to_block(rng: np.random.Generator) -> None:
    query, keys, values = arguments(rng, 2, 300, 1, 1, 8)
    keys *= np.linspace(0, 30, 300, dtype=np.float32)[:, None, None]
    result = kernels.scaled_dot_attention(query, keys, values, scale=1.0)
    # scores reach 200, with errors of a few times 200 * 2 ** -24, which exp() passes on
    for y, right in zip(result, expected(query, keys, values, scale=1.0), strict=True):
        np.testing.assert_allclose(y, right, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("cache_precision", PRECISIONS)
@pytest.mark.parametrize("head_dim", [5, 64])
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator,
    check_rows_independent: Callable[..., None],
    head_dim: int,
    cache_precision: str,
) -> None:
    query, keys, values = arguments(rng, 9, 200, 4, 2, head_dim)
    lengths = rng.integers(1, 201, 9)
    pages = kernels.KeyValuePages(keys, values, cache_precision=cache_precision)

    def call(rows: np.ndarray, num_threads: int) -> np.ndarray:
        result = pages.attend(query[rows], lengths[rows], num_threads=num_threads)
        return np.concatenate(result, axis=2)

    check_rows_independent(call, 9)


def test_positions_after_the_length_change_nothing(rng: np.random.Generator) -> None:
    query, keys, values = arguments(rng, 2, 100, 2, 2, 20)
    for length in (1, 8, 63, 64, 65, 99):
        seen = [length] * 2
        context, weights = kernels.scaled_dot_attention(query, keys, values, seen)
        alone = kernels.scaled_dot_attention(query, keys[:length], values[:length])
        np.testing.assert_array_equal(context, alone[0])
        np.testing.assert_array_equal(weights[..., :length], alone[1])


@pytest.mark.parametrize("cache_precision", PRECISIONS)
def test_what_is_not_seen_is_not_touched(rng: np.random.Generator, cache_precision: str) -> None:
    query, keys, values = arguments(rng, 100, 100, 2, 2, 20)
    keys[60], values[60] = np.nan, np.inf
    lengths, begins = np.arange(1, 101), np.zeros(100, int)
    begins[61:] = 61  # only row 60 sees position 60
    pages = kernels.KeyValuePages(keys, values, cache_precision=cache_precision)
    context, weights = pages.attend(query, lengths, begins=begins)
    bad = ~np.isfinite(context).all(axis=(1, 2))
    assert np.flatnonzero(bad).tolist() == [60]
    assert np.isfinite(np.delete(weights, 60, axis=0)).all()


def test_no_rows(rng: np.random.Generator) -> None:
    context, weights = kernels.scaled_dot_attention(*arguments(rng, 0, 5, 2, 2, 4))
    assert context.shape == (0, 2, 4)
    assert weights.shape == (0, 2, 5)


@pytest.mark.parametrize("place", [0, 69])
def test_nan_in_gives_nan_out(rng: np.random.Generator, place: int) -> None:
    query, keys, values = arguments(rng, 2, 70, 2, 2, 6)
    keys[place, 1, 5] = np.nan
    context, weights = kernels.scaled_dot_attention(query, keys, values)
    assert np.isnan(context[:, 1]).all()
    assert np.isnan(weights[:, 1]).all()
    assert np.isfinite(context[:, 0]).all()


@pytest.mark.parametrize(
    ("query", "keys", "values", "lengths", "message"),
    [
        ((1, 2), (3, 2, 4), (3, 2, 4), None, "query.ndim is 2, expected 3"),
        ((1, 2, 5), (3, 2, 4), (3, 2, 4), None, r"keys.shape\[2\] is 4, expected 5"),
        ((1, 2, 4), (3, 2, 4), (2, 2, 4), None, r"values.shape\[0\] is 2, expected 3"),
        ((1, 3, 4), (3, 2, 4), (3, 2, 4), None, r"keys.shape\[1\] is 2, expected a divisor of"),
        ((1, 2, 4), (0, 2, 4), (0, 2, 4), None, r"keys.shape\[0\] is 0, expected at least 1"),
        ((1, 2, 0), (3, 2, 0), (3, 2, 0), None, r"keys.shape\[2\] is 0, expected at least 1"),
        ((2, 2, 4), (3, 2, 4), (3, 2, 4), [1], r"lengths.shape\[0\] is 1, expected 2"),
        ((2, 2, 4), (3, 2, 4), (3, 2, 4), [1, 4], r"lengths\[1\] is 4, expected 1 to 3"),
        ((2, 2, 4), (3, 2, 4), (3, 2, 4), [0, 1], r"lengths\[0\] is 0, expected 1 to 3"),
    ],
)
def test_names_the_argument_that_does_not_fit(
    query: tuple[int, ...],
    keys: tuple[int, ...],
    values: tuple[int, ...],
    lengths: list[int] | None,
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        kernels.scaled_dot_attention(np.zeros(query), np.zeros(keys), np.zeros(values), lengths)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"position_bias": np.zeros((3, 3))}, r"position_bias.shape\[0\] is 3, expected 2"),
        ({"position_bias": np.zeros((2, 4))}, r"position_bias.shape\[1\] is 4, expected an odd"),
        ({"slopes": np.zeros(3)}, r"slopes.shape\[0\] is 3, expected 2"),
        ({"key_bias": np.zeros((3, 3))}, r"key_bias.shape\[0\] is 3, expected 2"),
        ({"key_bias": np.zeros((2, 2))}, r"key_bias.shape\[1\] is 2, expected 3"),
        ({"places": [0]}, r"places.shape\[0\] is 1, expected 2"),
        ({"begins": [0]}, r"begins.shape\[0\] is 1, expected 2"),
        ({"begins": [0, 3]}, r"begins\[1\] is 3, expected 0 to 2"),
    ],
)
def test_names_the_bias_that_does_not_fit(given: dict[str, np.ndarray], message: str) -> None:
    query, keys = np.zeros((2, 2, 4)), np.zeros((3, 2, 4))
    with pytest.raises(ValueError, match=message):
        kernels.scaled_dot_attention(query, keys, keys, **given)
