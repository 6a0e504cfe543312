from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnengine.reference.beam_search import BeamSearchResult, Options, beam_search, enumerate_all

END = 0


class Table:
    """A random model that gives every prefix its own distribution."""

    def __init__(self, vocab_size: int, seed: int, sharpness: float = 2.0) -> None:
        self.vocab_size, self.seed, self.sharpness = vocab_size, seed, sharpness

    def __call__(self, tokens: tuple[int, ...]) -> np.ndarray:
        rng = np.random.default_rng([self.seed, *(token + 1 for token in tokens)])
        return self.sharpness * rng.standard_normal(self.vocab_size)


def from_probabilities(table: dict[tuple[int, ...], list[float]]) -> Any:
    """A model given by its probabilities after each prefix."""
    with np.errstate(divide="ignore"):
        log_probs = {tokens: np.log(row) for tokens, row in table.items()}
    return log_probs.__getitem__


options = st.fixed_dictionaries(
    {
        "max_new_tokens": st.integers(1, 4),
        "min_new_tokens": st.integers(0, 3),
        "length_penalty": st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]),
        "end_tokens": st.sampled_from([[0], [0, 2]]),
    }
)
seeds = st.integers(0, 10_000)


@settings(deadline=None, max_examples=60)
@given(seeds, options)
def test_a_wide_beam_finds_what_brute_force_finds(seed: int, options: dict[str, Any]) -> None:
    step = Table(3, seed)
    width = 3 ** options["max_new_tokens"]
    result = beam_search(
        step, Options(beam_size=width, num_candidates=1000, num_hypotheses=1000, **options)
    )
    expected = enumerate_all(step, Options(**options))
    assert len(result.hypotheses) == len(expected)
    for actual, hypothesis in zip(result.hypotheses, expected, strict=True):
        assert actual.score == pytest.approx(hypothesis.score, rel=1e-12)
        same = next(h for h in expected if h.tokens == actual.tokens)
        assert actual.finish_reason == same.finish_reason
        assert actual.token_log_probs == pytest.approx(same.token_log_probs)


@settings(deadline=None, max_examples=60)
@given(seeds, options, st.integers(1, 3))
def test_a_wide_optimal_search_may_stop_early(
    seed: int, options: dict[str, Any], num_hypotheses: int
) -> None:
    step = Table(3, seed)
    result = beam_search(
        step,
        Options(
            beam_size=3 ** options["max_new_tokens"],
            num_hypotheses=num_hypotheses,
            num_candidates=1000,
            stopping="optimal",
            **options,
        ),
    )
    expected = enumerate_all(step, Options(**options))[:num_hypotheses]
    scores = [hypothesis.score for hypothesis in result.hypotheses]
    assert scores == pytest.approx([hypothesis.score for hypothesis in expected], rel=1e-12)


@settings(deadline=None, max_examples=100)
@given(seeds, st.integers(1, 4), st.sampled_from([-0.5, 0.0, 1.0, 1.5]), st.integers(1, 3))
def test_optimal_is_never_worse(seed: int, beam_size: int, penalty: float, n: int) -> None:
    def search(stopping: str) -> BeamSearchResult:
        return beam_search(
            Table(6, seed, sharpness=1.0),
            Options(
                end_tokens=[END],
                max_new_tokens=8,
                beam_size=beam_size,
                length_penalty=penalty,
                num_candidates=max(beam_size, n),
                num_hypotheses=n,
                stopping=stopping,
            ),
        )

    candidates, optimal = search("candidates").hypotheses, search("optimal").hypotheses
    assert len(optimal) >= len(candidates)
    for theirs, ours in zip(candidates, optimal, strict=False):
        assert ours.score >= theirs.score


@settings(deadline=None, max_examples=60)
@given(seeds, options, st.integers(1, 4))
def test_hypotheses_are_distinct_and_consistent(
    seed: int, options: dict[str, Any], beam_size: int
) -> None:
    result = beam_search(
        Table(4, seed),
        Options(
            beam_size=beam_size,
            num_candidates=10,
            num_hypotheses=10,
            **options,
        ),
    )
    assert len({h.tokens for h in result.hypotheses}) == len(result.hypotheses)
    assert [h.score for h in result.hypotheses] == sorted(
        (h.score for h in result.hypotheses), reverse=True
    )
    for h in result.hypotheses:
        stopped = h.finish_reason == "stop"
        length = len(h.tokens) + stopped
        assert length == len(h.token_log_probs) <= options["max_new_tokens"]
        assert math.fsum(h.token_log_probs) == pytest.approx(h.log_prob)
        assert h.score == pytest.approx(h.log_prob / length ** options["length_penalty"])
        assert not set(h.tokens) & set(options["end_tokens"])
        assert len(h.tokens) >= min(options["min_new_tokens"], options["max_new_tokens"])
    for node in result.tree:  # log-probabilities only fall from a parent to its children
        assert node.parent < 0 or node.log_prob <= result.tree[node.parent].log_prob


def test_greedy_misses_what_a_beam_of_two_finds() -> None:
    step = from_probabilities(
        {
            (): [0.0, 0.6, 0.4],
            (1,): [0.4, 0.3, 0.3],
            (2,): [0.9, 0.05, 0.05],
        }
    )
    greedy = beam_search(step, Options(end_tokens=[END], max_new_tokens=2))
    beam = beam_search(step, Options(end_tokens=[END], max_new_tokens=2, beam_size=2))
    assert greedy.hypotheses[0].tokens == (1,)
    assert beam.hypotheses[0].tokens == (2,)
    assert beam.hypotheses[0].log_prob == pytest.approx(math.log(0.36))


def test_end_tokens_below_the_first_k_are_ignored() -> None:
    step = from_probabilities({(): [0, 0.6, 0.4], (1,): [0.5, 0.45, 0.05], (2,): [0.6, 0.3, 0.1]})
    result = beam_search(
        step,
        Options(
            end_tokens=[END],
            max_new_tokens=2,
            beam_size=2,
            num_candidates=9,
            num_hypotheses=9,
            length_penalty=0.0,
        ),
    )
    # Second step: 0.30 ends and 0.27 lives. 0.24 would end as the third of two, so it is dropped,
    # and 0.12 lives in its place.
    assert [(node.token, node.parent) for node in result.tree[2:]] == [(0, 0), (1, 0), (1, 1)]
    assert [h.tokens for h in result.hypotheses] == [(1,), (1, 1), (2, 1)]


def test_an_end_token_among_the_first_k_is_refilled() -> None:
    step = from_probabilities({(): [0.4, 0.3, 0.2, 0.1]})
    result = beam_search(
        step, Options(end_tokens=[END], max_new_tokens=1, beam_size=2, num_hypotheses=2)
    )
    assert [(node.token, node.parent) for node in result.tree] == [(0, -1), (1, -1), (2, -1)]


def test_candidates_rule_stops_after_the_step_with_n_candidates() -> None:
    step = from_probabilities({(): [0.5, 0.5], (1,): [0.5, 0.5], (1, 1): [0.5, 0.5]})
    common: dict[str, Any] = {"end_tokens": [END], "max_new_tokens": 3, "beam_size": 2}
    for n in (1, 2, 3):
        result = beam_search(step, Options(num_candidates=n, num_hypotheses=n, **common))
        assert result.steps == n
        assert [h.tokens for h in result.hypotheses] == [(1,) * i for i in range(n)]


def test_optimal_bound_counts_the_longest_length() -> None:
    # After one step the ended hypothesis has the mean -0.5 and the live one -0.93. Two more tokens
    # with probability 1 bring the live one to -0.31.
    p = math.exp(-0.5)
    step = from_probabilities({(): [p, 1 - p], (1,): [0.0, 1.0], (1, 1): [1.0, 0.0]})
    common: dict[str, Any] = {"end_tokens": [END], "max_new_tokens": 3, "beam_size": 2}
    early = beam_search(step, Options(num_candidates=1, **common))
    best = beam_search(step, Options(num_candidates=1, stopping="optimal", **common))
    assert early.hypotheses[0].tokens == ()
    assert best.hypotheses[0].tokens == (1, 1)
    assert best.hypotheses[0].score == pytest.approx(math.log(1 - p) / 3)


def test_min_new_tokens_renormalises_the_rest() -> None:
    step = from_probabilities({(): [0.5, 0.3, 0.2], (1,): [0.8, 0.1, 0.1]})
    result = beam_search(step, Options(end_tokens=[END], max_new_tokens=3, min_new_tokens=1))
    assert result.hypotheses[0].tokens == (1,)
    assert result.hypotheses[0].log_prob == pytest.approx(math.log(0.6) + math.log(0.8))


def test_ties_go_to_the_first_beam_then_the_lowest_token() -> None:
    result = beam_search(
        lambda _: np.zeros(5), Options(end_tokens=[4], max_new_tokens=2, beam_size=3)
    )
    kept = [(node.token, node.parent) for node in result.tree]
    assert kept == [(0, -1), (1, -1), (2, -1), (0, 0), (1, 0), (2, 0)]


def test_impossible_continuations_are_never_kept() -> None:
    step = from_probabilities({(): [0.0, 1.0, 0.0], (1,): [1.0, 0.0, 0.0]})
    result = beam_search(step, Options(end_tokens=[END], max_new_tokens=5, beam_size=3))
    assert [(node.token, node.parent) for node in result.tree] == [(1, -1), (0, 0)]
    assert len(result.hypotheses) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beam_size": 0}, "beam_size is 0"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"num_hypotheses": 3, "num_candidates": 2}, "num_hypotheses is 3"),
        ({"stopping": "never"}, "stopping is 'never'"),
    ],
)
def test_options_are_checked(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"end_tokens": [END], "max_new_tokens": 3} | changes
    with pytest.raises(ValueError, match=message):
        beam_search(Table(3, 0), Options(**arguments))


def test_a_hypothesis_that_nothing_can_follow_dies() -> None:
    step = from_probabilities({(): [0.0, 0.6, 0.4], (1,): [1.0, 0.0, 0.0], (2,): [0.5, 0.5, 0.0]})
    options: dict[str, Any] = {"end_tokens": [END], "max_new_tokens": 2, "min_new_tokens": 2}
    result = beam_search(step, Options(beam_size=2, num_hypotheses=2, **options))
    assert [h.tokens for h in result.hypotheses] == [(2, 1)]
    assert [h.tokens for h in enumerate_all(step, Options(**options))] == [(2, 1)]


def test_nan_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"logits after tokens \(\) hold NaN"):
        beam_search(lambda _: np.full(3, np.nan), Options(end_tokens=[END], max_new_tokens=3))
