from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attnengine as ae
from attnengine.reference import beam_search as reference
from attnengine.reference import rules

# The search sums at most five float32 log-probabilities, each rounded to about 1e-6 (logits up to
# 10). The reference sums in float64.
TOLERANCE = 1e-5

PENALTIES = st.sampled_from([-0.5, 0.0, 0.6, 1.0, 2.0])
END_TOKENS = st.sampled_from([[], [0], [2], [0, 2], [1, 2, 3]])


@st.composite
def problems(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of a search and of its table of logits."""
    beam_size = draw(st.integers(1, 7))
    num_candidates = draw(st.integers(1, beam_size + 2))
    options = {
        "beam_size": beam_size,
        "num_candidates": num_candidates,
        "num_hypotheses": draw(st.integers(1, num_candidates)),
        "end_tokens": draw(END_TOKENS),
        "max_new_tokens": draw(st.integers(1, 5)),
        "min_new_tokens": draw(st.integers(0, 2)),
        "length_penalty": draw(PENALTIES),
        "stopping": draw(st.sampled_from(["candidates", "optimal"])),
    }
    table = {
        "seed": draw(st.integers(0, 10_000)),
        "vocab_size": draw(st.integers(4, 9)),
        "forbidden": draw(st.sampled_from([0, 0, 0.4])),
    }
    if options["min_new_tokens"] and 0 in options["end_tokens"]:
        table["forbidden"] = 0  # else all tokens may be forbidden before the first end token
    return options, table


RULES = st.fixed_dictionaries(
    {},
    optional={
        "suppress": st.lists(st.integers(1, 3), max_size=3),
        "suppress_first": st.lists(st.integers(1, 3), max_size=3),
    },
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(problem=problems(), values=RULES)
def test_rules_equal_the_reference(
    problem: Any, values: dict[str, Any], make_table: Any, drive: Any
) -> None:
    """The reference computes each row from all tokens, so a wrong state of a rule would differ."""
    options, table = problem
    options["end_tokens"] = [3]
    table["vocab_size"], table["forbidden"] = 9, 0  # 0 and 4 to 8: more than max_new_tokens
    model = make_table(**table)
    search = drive(search_of({**options, **values}), [model])
    made = [getattr(rules, name)(value) for name, value in values.items()]

    expected = reference.beam_search(
        lambda tokens: model(tokens).astype(np.float64), reference.Options(**options, rules=made)
    )

    assert [h.ids for h in search.hypotheses] == [list(h.tokens) for h in expected.hypotheses]
    np.testing.assert_allclose(
        [h.log_prob for h in search.hypotheses],
        [h.log_prob for h in expected.hypotheses],
        atol=TOLERANCE,
    )


def search_of(options: dict[str, Any]) -> ae.BeamSearch:
    return ae.BeamSearch(start_token=1, **options)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(problem=problems())
def test_equals_the_reference(problem: Any, make_table: Any, drive: Any) -> None:
    options, table = problem
    model = make_table(**table)
    search = drive(search_of(options), [model])

    expected = reference.beam_search(
        lambda tokens: model(tokens).astype(np.float64), reference.Options(**options)
    )

    assert len(search.hypotheses) == len(expected.hypotheses)
    for actual, hypothesis in zip(search.hypotheses, expected.hypotheses, strict=True):
        assert actual.ids == list(hypothesis.tokens)
        assert actual.finish_reason == hypothesis.finish_reason
        assert actual.log_prob == pytest.approx(hypothesis.log_prob, abs=TOLERANCE)
        # a negative penalty multiplies the error, by at most 5 ** 0.5
        assert actual.score == pytest.approx(hypothesis.score, abs=3 * TOLERANCE)
        np.testing.assert_allclose(
            actual.token_log_probs, hypothesis.token_log_probs, atol=TOLERANCE
        )
    tree = search.tree
    assert tree.ids[1:].tolist() == [node.token for node in expected.tree]
    assert (tree.parents[1:] - 1).tolist() == [node.parent for node in expected.tree]
    np.testing.assert_allclose(
        tree.log_probs[1:], [node.log_prob for node in expected.tree], atol=TOLERANCE
    )


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    end_tokens=END_TOKENS,
    length_penalty=PENALTIES,
    stopping=st.sampled_from(["candidates", "optimal"]),
)
def test_a_wide_beam_is_exact(
    seed: int,
    end_tokens: list[int],
    length_penalty: float,
    stopping: str,
    make_table: Any,
    drive: Any,
) -> None:
    model = make_table(seed, 4)
    common = {"end_tokens": end_tokens, "max_new_tokens": 3, "length_penalty": length_penalty}
    # There are fewer sequences than candidates, so the search runs to its end.
    search = drive(
        search_of({**common, "beam_size": 64, "num_candidates": 100, "stopping": stopping}),
        [model],
    )

    expected = reference.enumerate_all(
        lambda tokens: model(tokens).astype(np.float64), reference.Options(**common)
    )

    found = {tuple(h.ids): h.score for h in search.hypotheses}
    assert len(found) == len(search.hypotheses) == min(len(expected), 64)
    np.testing.assert_allclose(
        [h.score for h in search.hypotheses],
        [h.score for h in expected[:64]],
        atol=3 * TOLERANCE,
    )
    exact = {h.tokens: h.score for h in expected}
    for tokens, score in found.items():
        assert score == pytest.approx(exact[tokens], abs=3 * TOLERANCE)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(problem=problems())
def test_optimal_is_never_worse_than_candidates(problem: Any, make_table: Any, drive: Any) -> None:
    options, table = problem
    scores = {}
    for stopping in ("candidates", "optimal"):
        search = drive(search_of({**options, "stopping": stopping}), [make_table(**table)])
        scores[stopping] = [h.score for h in search.hypotheses]
    assert len(scores["optimal"]) >= len(scores["candidates"])
    for best, other in zip(scores["optimal"], scores["candidates"], strict=False):
        assert best >= other
