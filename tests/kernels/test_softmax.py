from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attnengine import kernels
from attnengine.reference import softmax as reference

# exp() is off by 2 * 2 ** -24, and its argument x - max (up to 30 here) is rounded once. Together
# they are off by 32 * 2 ** -24; the sum adds a few units.
RTOL = 3e-6


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 17, 64])
@pytest.mark.parametrize("n", [1, 7, 8, 16, 33, 1000])
def test_softmax(rng: np.random.Generator, rows: int, n: int) -> None:
    x = (rng.normal(size=(rows, n)) * 3).astype(np.float32)
    y = kernels.softmax(x)
    np.testing.assert_allclose(y, reference.softmax(x.astype(np.float64)), rtol=RTOL)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


def test_softmax_of_large_and_infinite_logits() -> None:
    low = -np.inf
    x = [[1e4, 1e4, low, low, 1e4 - 200], [-1e30, low, low, low, -1e30]]
    expected = [[0.5, 0.5, 0, 0, 0], [0.5, 0, 0, 0, 0.5]]
    np.testing.assert_array_equal(kernels.softmax(x), expected)


@pytest.mark.parametrize("place", [0, 3, 8, 20])
def test_softmax_of_nan_is_nan_in_its_row(place: int) -> None:
    x = np.zeros((3, 21), np.float32)
    x[1, place] = np.nan
    y = kernels.softmax(x)
    assert np.isnan(y[1]).all()
    np.testing.assert_allclose(y[[0, 2]], 1 / 21, rtol=1e-6)


def test_softmax_of_nothing() -> None:
    assert kernels.softmax(np.zeros((0, 4))).shape == (0, 4)
    assert kernels.softmax(np.zeros((4, 0))).shape == (4, 0)


def test_softmax_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None]
) -> None:
    x = rng.normal(size=(9, 16_001)).astype(np.float32)
    check_rows_independent(lambda i, threads: kernels.softmax(x[i], num_threads=threads), 9)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 17, 64])
@pytest.mark.parametrize("n", [1, 7, 16, 33, 1025, 5000])
def test_target_log_probs(rng: np.random.Generator, rows: int, n: int) -> None:
    logits = (rng.normal(size=(rows, n)) * 3).astype(np.float32)
    targets = rng.integers(0, n, rows)
    log_probs = kernels.target_log_probs(logits, targets)
    expected = reference.target_log_probs(logits.astype(np.float64), targets)
    assert log_probs.dtype == np.float64
    np.testing.assert_allclose(log_probs, expected, rtol=RTOL, atol=RTOL)


def test_target_log_probs_of_infinite_logits_and_nan() -> None:
    logits = np.zeros((4, 5))
    logits[0, 1], logits[1, 1], logits[2, 3] = -np.inf, np.inf, np.nan
    log_probs = kernels.target_log_probs(logits, [1, 1, 0, 0])
    np.testing.assert_allclose(log_probs, [-np.inf, np.nan, np.nan, -np.log(5)], rtol=1e-6)


def test_target_log_probs_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"targets.shape\[0\] is 1, expected 2"):
        kernels.target_log_probs(np.zeros((2, 5)), [1])
    with pytest.raises(ValueError, match=r"targets\[1\] is 5"):
        kernels.target_log_probs(np.zeros((2, 5)), [1, 5])


def test_target_log_prob_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None]
) -> None:
    logits, targets = rng.normal(size=(9, 16_001)).astype(np.float32), rng.integers(0, 16_001, 9)
    check_rows_independent(
        lambda i, threads: kernels.target_log_probs(logits[i], targets[i], num_threads=threads), 9
    )


def expected_top_k(logits: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    log_probs, tokens = reference.log_softmax_top_k(logits.astype(np.float64), k)
    return log_probs, np.where(np.isneginf(log_probs), -1, tokens)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 17, 64])
@pytest.mark.parametrize(
    ("n", "k"), [(1, 1), (7, 7), (16, 4), (33, 33), (1025, 8), (5000, 16), (5000, 256)]
)
def test_top_k(rng: np.random.Generator, rows: int, n: int, k: int) -> None:
    logits = (rng.normal(size=(rows, n)) * 3).astype(np.float32)
    log_probs, tokens = kernels.log_softmax_top_k(logits, k)
    expected = expected_top_k(logits, k)
    np.testing.assert_array_equal(tokens, expected[1])
    # the difference of a logit and the log of the sum, both up to 20: off by 2 * 20 * 2 ** -24
    np.testing.assert_allclose(log_probs, expected[0], atol=4e-6)


@pytest.mark.parametrize("k", [1, 2, 5, 40, 300, 3000])
@pytest.mark.parametrize("order", ["random", "rising", "falling", "equal"])
def test_ties_go_to_the_lower_token(rng: np.random.Generator, k: int, order: str) -> None:
    logits = rng.integers(0, 6, (2, 3000)).astype(np.float32)
    if order == "rising":
        logits.sort(axis=1)
    elif order == "falling":
        logits = -np.sort(-logits, axis=1)
    elif order == "equal":
        logits[:] = 1.5
    tokens = kernels.log_softmax_top_k(logits, k)[1]
    np.testing.assert_array_equal(tokens, expected_top_k(logits, k)[1])


def test_tokens_at_minus_infinity_are_never_chosen(rng: np.random.Generator) -> None:
    logits = np.full((4, 2000), -np.inf, np.float32)
    logits[0, [5, 1999]] = [1.0, 2.0]
    logits[1, 1024:] = rng.normal(size=976)
    logits[2, 0] = 0.0
    log_probs, tokens = kernels.log_softmax_top_k(logits, 10)
    expected = expected_top_k(logits[:3], 10)
    np.testing.assert_array_equal(tokens[:3], expected[1])
    np.testing.assert_allclose(log_probs[:3], expected[0], atol=2e-6)
    np.testing.assert_array_equal(tokens[3], -1)
    np.testing.assert_array_equal(log_probs[3], -np.inf)


@pytest.mark.parametrize("place", [0, 7, 1023, 1024, 1500, 2998])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_makes_the_log_probs_of_its_row_nan(
    rng: np.random.Generator, place: int, bad: float
) -> None:
    logits = rng.normal(size=(3, 2999)).astype(np.float32)
    logits[1, place] = bad
    log_probs, _ = kernels.log_softmax_top_k(logits, 4)
    assert np.isnan(log_probs[1]).all()
    assert np.isfinite(log_probs[[0, 2]]).all()


@pytest.mark.parametrize("k", [3, 50])
def test_top_k_row_has_the_same_bits_in_any_company(
    rng: np.random.Generator, check_rows_independent: Callable[..., None], k: int
) -> None:
    logits = rng.normal(size=(9, 16_001)).astype(np.float32)
    for part in (0, 1):
        check_rows_independent(
            lambda i, threads, part=part: kernels.log_softmax_top_k(
                logits[i], k, num_threads=threads
            )[part],
            9,
        )


def test_top_k_of_no_rows() -> None:
    log_probs, tokens = kernels.log_softmax_top_k(np.zeros((0, 5)), 2)
    assert log_probs.shape == tokens.shape == (0, 2)
    assert tokens.dtype == np.int32


@pytest.mark.parametrize("k", [-1, 0, 6])
def test_k_is_from_1_to_the_vocabulary(k: int) -> None:
    with pytest.raises(ValueError, match=rf"k is {k}, expected 1 to 5 \(logits.shape\[1\]\)"):
        kernels.log_softmax_top_k(np.zeros((1, 5)), k)


@pytest.mark.parametrize("k", [1, 5, 200])
def test_threads_that_share_one_row_change_no_bit(k: int) -> None:
    n = 70_001  # blocks of 1024 for several threads, and a remainder
    rng = np.random.default_rng(k)
    logits = rng.normal(size=(1, n)).astype(np.float32)
    logits[:, 2000:9000] = -np.inf
    logits[:, rng.integers(9000, n, 50)] = logits.max()  # ties in many blocks
    log_probs, tokens = kernels.log_softmax_top_k(logits, k)
    wanted = reference.log_softmax_top_k(logits.astype(np.float64), k)
    np.testing.assert_array_equal(tokens, wanted[1])
    np.testing.assert_allclose(log_probs, wanted[0], rtol=1e-6)
    for num_threads in (2, 3, 8):
        shared = kernels.log_softmax_top_k(logits, k, num_threads=num_threads)
        np.testing.assert_array_equal(shared[0], log_probs)
        np.testing.assert_array_equal(shared[1], tokens)
