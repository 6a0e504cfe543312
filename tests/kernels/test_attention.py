from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference import attention as reference

NAMES = ["additive_attention", "dot_attention", "general_attention", "concat_attention"]


def arguments(
    rng: np.random.Generator, name: str, rows: int, src: int, dim: int
) -> list[np.ndarray]:
    """Random arguments with scores of a few units, so that no single weight takes everything."""
    value_dim = dim + 1
    key_dim = dim + 2 if name in ("general_attention", "concat_attention") else dim
    query, keys = rng.normal(size=(rows, dim)), rng.normal(size=(src, key_dim))
    values = rng.normal(size=(src, value_dim))
    if name == "additive_attention":
        extra = [rng.normal(size=dim) / np.sqrt(dim) * 2]
    elif name == "general_attention":
        extra = [rng.normal(size=(key_dim, dim)) / dim]
    elif name == "concat_attention":
        extra = [rng.normal(size=(9, dim + key_dim)), rng.normal(size=9), rng.normal(size=9)]
    else:
        extra, query = [], query / np.sqrt(dim)
    return [a.astype(np.float32) for a in (query, keys, values, *extra)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 17, 64])
@pytest.mark.parametrize("src", [1, 7, 40])
@pytest.mark.parametrize("dim", [1, 15, 64])
def test_attention(rng: np.random.Generator, name: str, rows: int, src: int, dim: int) -> None:
    arrays = arguments(rng, name, rows, src, dim)

    context, weights = getattr(kernels, name)(*arrays)

    expected = getattr(reference, name)(*(a.astype(np.float64) for a in arrays))
    # scores below 10 with up to 130 terms: errors of about 2e-6, which exp() passes on
    np.testing.assert_allclose(weights, expected[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(context, expected[0], rtol=1e-5, atol=5e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("src", "dim"), [(3, 7), (200, 300)])
def test_a_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator,
    check_rows_independent: Callable[..., None],
    name: str,
    src: int,
    dim: int,
) -> None:
    query, *rest = arguments(rng, name, 12, src, dim)

    def call(rows: np.ndarray, num_threads: int) -> np.ndarray:
        result = getattr(kernels, name)(query[rows], *rest, num_threads=num_threads)
        return np.concatenate(result, axis=1)

    check_rows_independent(call, 12)


def test_no_rows(rng: np.random.Generator) -> None:
    context, weights = kernels.dot_attention(np.zeros((0, 3)), np.zeros((4, 3)), np.zeros((4, 5)))
    assert context.shape == (0, 5)
    assert weights.shape == (0, 4)


@pytest.mark.parametrize("name", ["additive_attention", "dot_attention"])
@pytest.mark.parametrize("which", [0, 1])
def test_nan_in_gives_nan_out(rng: np.random.Generator, name: str, which: int) -> None:
    arrays = arguments(rng, name, 3, 5, 9)
    arrays[which][1, 8] = np.nan
    context, weights = getattr(kernels, name)(*arrays)
    rows = [1] if which == 0 else [0, 1, 2]
    assert np.isnan(weights[rows]).all()
    assert np.isnan(context[rows]).all()
    if which == 0:
        assert np.isfinite(context[[0, 2]]).all()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(1, 3), (2, 4), (2, 5), (4,)], r"query.shape\[1\] is 3, expected 4"),
        ([(1, 4), (2, 4), (3, 5), (4,)], r"values.shape\[0\] is 3, expected 2"),
        ([(1, 4), (2, 4), (2, 5), (3,)], r"v.shape\[0\] is 3, expected 4"),
        ([(4,), (2, 4), (2, 5), (4,)], r"query.ndim is 1, expected 2"),
        ([(1, 4), (0, 4), (0, 5), (4,)], r"keys.shape\[0\] is 0, expected at least 1"),
    ],
)
def test_names_the_argument_that_does_not_fit(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kernels.additive_attention(*(np.zeros(s) for s in shapes))


def test_names_the_weight_that_does_not_fit() -> None:
    query, keys, values = np.zeros((1, 3)), np.zeros((2, 4)), np.zeros((2, 5))
    with pytest.raises(ValueError, match=r"x.shape\[1\] is 3, expected 2"):
        kernels.general_attention(query, keys, values, np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"weight.shape is \(6, 8\), expected \(attention_size, 7"):
        kernels.concat_attention(query, keys, values, np.zeros((6, 8)), np.zeros(6))
