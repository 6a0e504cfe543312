from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from attnengine import _core
from tests.decoding.searches import make_search

VOCAB_SIZE = 12
LOGITS = (2 * np.random.default_rng(4).standard_normal(VOCAB_SIZE)).astype(np.float32)


def softmax(logits: Any) -> Any:
    e = np.exp(logits.astype(np.float64) - logits.max())
    return e / e.sum()


def first_tokens(options: _core.SamplingOptions, logits: Any = LOGITS) -> Any:
    """The token that each hypothesis draws in the first step."""
    search = make_search(options, [0], [2], len(logits))
    search.advance(logits[None])
    return search.tokens


def chi_square(tokens: Any, probabilities: Any) -> float:
    expected = probabilities * len(tokens)
    seen = np.bincount(tokens, minlength=len(probabilities))
    possible = expected > 0
    assert seen[~possible].sum() == 0
    return float(((seen - expected)[possible] ** 2 / expected[possible]).sum())


def critical(degrees: int) -> float:
    """The chi-square value that 1 in 10,000 true samples exceeds (Wilson and Hilferty)."""
    return degrees * (1 - 2 / (9 * degrees) + 3.72 * math.sqrt(2 / (9 * degrees))) ** 3


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("top_k", [0, 1, 4, 100])
def test_frequencies_follow_the_softmax(
    temperature: float, top_k: int, sampling_options: Any
) -> None:
    options = sampling_options(
        temperature=temperature, top_k=top_k, num_hypotheses=20_000, end_tokens=[]
    )
    kept = np.sort(LOGITS)[-top_k:][0] if 0 < top_k < VOCAB_SIZE else -np.inf
    probabilities = softmax(np.where(kept <= LOGITS, LOGITS, -np.inf) / np.float64(temperature))
    statistic = chi_square(first_tokens(options), probabilities)
    assert statistic < critical(max(1, np.count_nonzero(probabilities) - 1))


def test_the_chi_square_notices_a_wrong_temperature(sampling_options: Any) -> None:
    options = sampling_options(temperature=1.1, num_hypotheses=20_000, end_tokens=[])
    assert chi_square(first_tokens(options), softmax(LOGITS)) > critical(VOCAB_SIZE - 1)


def test_later_steps_follow_the_softmax_too(sampling_options: Any) -> None:
    search = make_search(
        sampling_options(num_hypotheses=20_000, end_tokens=[]), [0], [2], VOCAB_SIZE
    )
    search.advance(np.zeros((1, VOCAB_SIZE), np.float32))
    search.advance(np.tile(LOGITS, (20_000, 1)))
    second = np.array([h.tokens[1] for h in search.hypotheses(0)])
    assert chi_square(second, softmax(LOGITS)) < critical(VOCAB_SIZE - 1)
    pairs = np.array([h.tokens[0] * VOCAB_SIZE + h.tokens[1] for h in search.hypotheses(0)])
    independent = np.outer(np.full(VOCAB_SIZE, 1 / VOCAB_SIZE), softmax(LOGITS)).ravel()
    assert chi_square(pairs, independent) < critical(VOCAB_SIZE**2 - 1)


def test_top_k_takes_exactly_k_and_of_equal_ones_the_lower(sampling_options: Any) -> None:
    logits = np.array([0, 1, 1, 2, 1, 1], np.float32)
    options = sampling_options(top_k=3, num_hypotheses=500, end_tokens=[])
    assert set(first_tokens(options, logits).tolist()) == {1, 2, 3}


def test_forbidden_tokens_are_never_drawn(sampling_options: Any) -> None:
    logits = np.where(np.arange(VOCAB_SIZE) % 3 == 1, 0, -np.inf).astype(np.float32)
    for top_k in (0, 6):
        options = sampling_options(top_k=top_k, num_hypotheses=500, end_tokens=[1])
        search = make_search(options, [0], [3], VOCAB_SIZE)
        search.advance(logits[None])
        drawn = set(search.tokens.tolist()) | {1 for h in search.hypotheses(0) if h.tokens == []}
        assert drawn == {1, 4, 7, 10}


def test_a_tiny_temperature_takes_the_best(sampling_options: Any) -> None:
    options = sampling_options(temperature=1e-300, num_hypotheses=50, end_tokens=[])
    assert set(first_tokens(options).tolist()) == {int(LOGITS.argmax())}


def test_draws_are_the_same_on_every_platform(sampling_options: Any) -> None:
    # A second implementation of mt19937_64 and seed_seq, which the C++ standard fixes, drew these.
    options = sampling_options(seed=2**64 - 1, num_hypotheses=8, end_tokens=[])
    drawn = first_tokens(options, np.zeros(1000, np.float32)).tolist()
    assert drawn == [624, 932, 604, 825, 420, 743, 125, 883]


def test_a_seed_repeats_and_seeds_differ(sampling_options: Any) -> None:
    flat = np.zeros(1000, np.float32)
    draws = [
        first_tokens(sampling_options(seed=seed, num_hypotheses=20, end_tokens=[]), flat).tolist()
        for seed in (7, 7, 8, 7 + 2**32, 2**63)
    ]
    assert draws[0] == draws[1]
    assert len({tuple(draw) for draw in draws}) == 4
    assert len(set(draws[0])) > 10  # each hypothesis draws by itself


def test_a_hypothesis_depends_on_its_index_alone(
    make_table: Any, drive: Any, sampling_options: Any
) -> None:
    model = make_table(2, 9, sharpness=1)

    def drawn(count: int) -> list[Any]:
        search = make_search(sampling_options(num_hypotheses=count), [0], [8], 9)
        return sorted(tuple(h.tokens) for h in drive(search, [model]).hypotheses(0))

    one, two, many = drawn(1), drawn(2), drawn(10)
    assert set(one) <= set(two) <= set(many)
    assert len(set(many)) > 5


def test_log_probs_are_the_models_own(make_table: Any, drive: Any, sampling_options: Any) -> None:
    model = make_table(3, 9, sharpness=1)
    options = sampling_options(temperature=0.6, top_k=5, num_hypotheses=12)
    search = drive(make_search(options, [0], [3], 9), [model])
    results = search.hypotheses(0)
    assert len(results) == 12
    assert {h.finish_reason for h in results} == {"stop", "length"}
    for h in results:
        path = [*h.tokens, 0] if h.finish_reason == "stop" else h.tokens
        own = [math.log(softmax(model(tuple(path[:i])))[token]) for i, token in enumerate(path)]
        np.testing.assert_allclose(h.token_log_probs, own, atol=2e-6)  # float32 logits up to 5
        assert h.log_prob == pytest.approx(sum(h.token_log_probs), abs=1e-12)
        assert h.score == pytest.approx(h.log_prob / len(path), rel=1e-12)
        assert len(h.rows) == len(path)
    scores = [h.score for h in results]
    assert scores == sorted(scores, reverse=True)


def test_rows_narrow_as_hypotheses_end(make_table: Any, drive: Any, sampling_options: Any) -> None:
    search = make_search(sampling_options(num_hypotheses=6), [3], [9], 4)
    seen: list[list[int]] = []
    drive(search, [make_table(1, 4, sharpness=1)], lambda: seen.append(search.tokens.tolist()))
    assert len(seen[0]) == 1
    assert len(seen[-1]) < 6
    ends = [len(h.rows) for h in search.hypotheses(0)]  # the step at which each hypothesis ended
    for step, tokens in enumerate(seen[1:], 1):
        assert len(tokens) == sum(end > step for end in ends)
    for h in search.hypotheses(0):
        spelled = [3, *h.tokens]
        assert [seen[i][row] for i, row in enumerate(h.rows)] == spelled[: len(h.rows)]


def test_equal_draws_are_kept_in_the_order_of_their_index(sampling_options: Any) -> None:
    search = make_search(sampling_options(num_hypotheses=5, end_tokens=[]), [0], [1], 1)
    search.advance(np.zeros((1, 1), np.float32))
    assert [(h.tokens, h.score) for h in search.hypotheses(0)] == [([0], 0)] * 5


def test_minimum_length(sampling_options: Any) -> None:
    logits = np.array([9, 0, 0], np.float32)
    options = sampling_options(num_hypotheses=100, rules_of={"min_new_tokens": 1})
    search = make_search(options, [0], [3], 3)
    search.advance(logits[None])
    assert len(search.tokens) == 100
    assert set(search.tokens.tolist()) == {1, 2}
    np.testing.assert_allclose(search.tree(0)[2][1:], -math.log(2), atol=1e-6)


def test_a_hypothesis_with_nothing_left_is_an_error(sampling_options: Any) -> None:
    search = make_search(sampling_options(), [0, 0], [3, 3], 3)
    logits = np.zeros((2, 3), np.float32)
    logits[1] = -np.inf
    with pytest.raises(ValueError, match="every token of sentence 1 is forbidden at step 0"):
        search.advance(logits)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, "temperature is 0, expected a finite number above 0"),
        ({"temperature": -1.5}, "temperature is -1.5, expected a finite number above 0"),
        ({"temperature": math.nan}, "temperature is nan, expected a finite number above 0"),
        ({"temperature": math.inf}, "temperature is inf, expected a finite number above 0"),
        ({"top_k": -1}, "top_k is -1, expected at least 0"),
        ({"num_hypotheses": 0}, "num_hypotheses is 0, expected at least 1"),
        ({"rules_of": {"min_new_tokens": -3}}, "min_new_tokens is -3, expected at least 0"),
        ({"end_tokens": [-1]}, r"end_tokens\[0\] is -1, expected at least 0"),
    ],
)
def test_options_are_checked(change: dict[str, Any], message: str, sampling_options: Any) -> None:
    with pytest.raises(ValueError, match=message):
        sampling_options(**change)


def test_without_a_seed_every_sentence_draws_for_itself(sampling_options: Any) -> None:
    options = sampling_options(seed=None, end_tokens=[])
    search = make_search(options, [0, 0], [8, 8], 1000)
    while not search.done:
        search.advance(np.zeros((2, 1000), np.float32))
    # equal by chance in 1 of 1000 ** 8 runs
    assert search.hypotheses(0)[0].tokens != search.hypotheses(1)[0].tokens
