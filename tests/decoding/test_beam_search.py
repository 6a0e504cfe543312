from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnengine import _core
from attnengine.errors import Error
from attnengine.reference import beam_search as reference

# float32 log-probabilities against the float64 ones of the reference: each is rounded to about
# 1e-6 (logits up to 10), and at most five are summed.
TOLERANCE = 1e-5

PENALTIES = st.sampled_from([-0.5, 0.0, 0.6, 1.0, 2.0])
END_TOKENS = st.sampled_from([[], [0], [2], [0, 2], [1, 2, 3]])


@st.composite
def problems(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of a search, and of its table."""
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
        table["forbidden"] = 0  # otherwise nothing may be left before the first end token
    return options, table


def search_of(options: dict[str, Any]) -> _core.BeamSearch:
    return _core.BeamSearch(start_token=1, **options)


@settings(deadline=None, max_examples=150)
@given(problem=problems())
def test_equals_the_reference(problem: Any, make_table: Any, drive: Any) -> None:
    options, table = problem
    model = make_table(**table)
    search = drive(search_of(options), [model])

    expected = reference.beam_search(lambda tokens: model(tokens).astype(np.float64), **options)

    assert len(search.hypotheses) == len(expected.hypotheses)
    for actual, hypothesis in zip(search.hypotheses, expected.hypotheses, strict=True):
        assert actual.tokens == list(hypothesis.tokens)
        assert actual.finish_reason == hypothesis.finish_reason
        assert actual.log_prob == pytest.approx(hypothesis.log_prob, abs=TOLERANCE)
        # a negative penalty multiplies: 5 ** 0.5 at most
        assert actual.score == pytest.approx(hypothesis.score, abs=3 * TOLERANCE)
        np.testing.assert_allclose(
            actual.token_log_probs, hypothesis.token_log_probs, atol=TOLERANCE
        )
    tokens, parents, log_probs, _ = search.tree
    assert tokens[1:].tolist() == [node.token for node in expected.tree]
    assert (parents[1:] - 1).tolist() == [node.parent for node in expected.tree]
    np.testing.assert_allclose(
        log_probs[1:], [node.log_prob for node in expected.tree], atol=TOLERANCE
    )


@settings(deadline=None, max_examples=40)
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
    # more candidates than there are sequences: the candidates rule runs to the end
    search = drive(
        search_of({**common, "beam_size": 64, "num_candidates": 100, "stopping": stopping}),
        [model],
    )

    expected = reference.enumerate_all(lambda tokens: model(tokens).astype(np.float64), **common)

    found = {tuple(h.tokens): h.score for h in search.hypotheses}
    assert len(found) == len(search.hypotheses) == min(len(expected), 64)
    np.testing.assert_allclose(
        [h.score for h in search.hypotheses],
        [h.score for h in expected[:64]],
        atol=3 * TOLERANCE,
    )
    exact = {h.tokens: h.score for h in expected}
    for tokens, score in found.items():
        assert score == pytest.approx(exact[tokens], abs=3 * TOLERANCE)


@settings(deadline=None, max_examples=150)
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


def test_optimal_finds_what_candidates_misses() -> None:
    # "a b b" has the better mean, but ending at once fills the list first.
    table = np.log(np.array([[0.5, 0.4, 0.1], [0.02, 0.01, 0.97], [0.02, 0.01, 0.97]], np.float32))
    found = {}
    for stopping in ("candidates", "optimal"):
        search = _core.BeamSearch(
            beam_size=2,
            start_token=0,
            end_tokens=[0],
            max_new_tokens=4,
            num_candidates=1,
            stopping=stopping,
        )
        while not search.done:
            search.advance(table[search.tokens])
        found[stopping] = search.hypotheses[0]
    assert found["candidates"].tokens == []
    assert found["optimal"].tokens == [1, 2, 2, 2]
    assert found["optimal"].score == pytest.approx(np.log(0.4 * 0.97**3) / 4, abs=1e-6)


def test_an_end_token_behind_the_beam_is_ignored() -> None:
    search = _core.BeamSearch(beam_size=2, start_token=0, end_tokens=[3], max_new_tokens=9)
    search.advance(np.array([[2, -1, -5, -2]], np.float32))  # the end token ranks third
    assert search.hypotheses == []
    assert search.tokens.tolist() == [0, 1]
    search.advance(np.array([[1, -9, -9, 3], [-9, -9, -9, 0]], np.float32))
    # first row: end and 0 rank first and second; second row: its end token ranks third
    assert [h.tokens for h in search.hypotheses] == [[0]]
    assert search.tokens.tolist() == [0, 0]
    assert search.parents.tolist() == [0, 1]


def test_ties_go_to_the_lower_row_then_to_the_lower_token() -> None:
    search = _core.BeamSearch(beam_size=3, start_token=0, end_tokens=[], max_new_tokens=2)
    search.advance(np.zeros((1, 5), np.float32))
    assert search.tokens.tolist() == [0, 1, 2]
    search.advance(np.zeros((3, 5), np.float32))
    assert [h.tokens for h in search.hypotheses] == [[0, 0], [0, 1], [0, 2]]


def test_two_end_tokens_spell_one_text() -> None:
    search = _core.BeamSearch(
        beam_size=4, start_token=0, end_tokens=[1, 2], max_new_tokens=1, num_candidates=2
    )
    search.advance(np.array([[0, 3, 2, 1]], np.float32))
    assert [(h.tokens, h.finish_reason) for h in search.hypotheses] == [
        ([], "stop"),
        ([3], "length"),
    ]
    log_probs = np.array([0, 3, 2, 1]) - np.log(np.exp([0, 3, 2, 1]).sum())
    assert search.hypotheses[0].log_prob == pytest.approx(log_probs[1], abs=1e-6)
    tokens, parents, _, ended = search.tree
    assert tokens.tolist() == [0, 1, 2, 3, 0]
    assert parents.tolist() == [-1, 0, 0, 0, 0]
    assert ended.tolist() == [False, True, True, False, False]


def test_the_start_token_may_be_an_end_token() -> None:
    search = _core.BeamSearch(beam_size=1, start_token=2, end_tokens=[2], max_new_tokens=3)
    search.advance(np.array([[0, 1, 0]], np.float32))
    search.advance(np.array([[0, 0, 1]], np.float32))
    assert search.hypotheses[0].tokens == [1]
    tokens, _, _, ended = search.tree
    assert tokens.tolist() == [2, 1, 2, 0]
    assert ended.tolist() == [False, False, True, False]


def test_the_minimum_length_shares_the_probability_of_the_end_token() -> None:
    logits = np.array([[5, 1, 0]], np.float32)
    search = _core.BeamSearch(
        beam_size=1, start_token=0, end_tokens=[0], max_new_tokens=5, min_new_tokens=1
    )
    search.advance(logits)
    assert logits.tolist() == [[5, 1, 0]]  # given back as it was
    logits.flags.writeable = False
    search.advance(logits)
    (hypothesis,) = search.hypotheses
    assert hypothesis.tokens == [1]
    first = 1 - np.log(np.exp(1) + 1)
    second = 5 - np.log(np.exp([5, 1, 0]).sum())
    np.testing.assert_allclose(hypothesis.token_log_probs, [first, second], atol=1e-6)


def test_the_minimum_length_copies_logits_that_are_not_writable() -> None:
    logits = np.array([[5, 1, 0]], np.float32)
    logits.flags.writeable = False
    search = _core.BeamSearch(
        beam_size=1, start_token=0, end_tokens=[0], max_new_tokens=5, min_new_tokens=1
    )
    search.advance(logits)
    assert search.tokens.tolist() == [1]
    assert logits.tolist() == [[5, 1, 0]]


def test_impossible_continuations_are_never_taken() -> None:
    search = _core.BeamSearch(beam_size=4, start_token=0, end_tokens=[0], max_new_tokens=5)
    inf = np.inf
    search.advance(np.array([[1, 0, -inf, -inf]], np.float32))
    assert search.tokens.tolist() == [1]
    search.advance(np.array([[-inf, -inf, -inf, -inf]], np.float32))
    assert search.done  # one has ended, no other can
    assert [h.tokens for h in search.hypotheses] == [[]]


def test_a_search_with_nothing_left_is_an_error() -> None:
    search = _core.BeamSearch(beam_size=2, start_token=0, end_tokens=[], max_new_tokens=5)
    search.advance(np.array([[0, 1]], np.float32))
    with pytest.raises(ValueError, match="every token of sentence 0 is forbidden at step 1"):
        search.advance(np.full((2, 2), -np.inf, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 7, 8, 1030, 2050])  # lanes, tail, blocks of the kernel
def test_bad_logits_change_nothing(value: float, place: int) -> None:
    table = np.random.default_rng(0).normal(size=(2051, 2051)).astype(np.float32)
    options = {"beam_size": 3, "start_token": 5, "end_tokens": [0], "max_new_tokens": 4}
    search, twin = _core.BeamSearch(**options), _core.BeamSearch(**options)
    for step in range(4):
        good = table[search.tokens]
        bad = good.copy()
        bad[-1, place] = value
        what = "NaN" if np.isnan(value) else "+infinity"
        message = rf"sentence 0 \(row {len(good) - 1}, token {place}, step {step}\) hold \{what}"
        with pytest.raises(ValueError, match=message.replace(r"\N", "N")):
            search.advance(bad)
        search.advance(good)
        twin.advance(good)
        assert search.tokens.tolist() == twin.tokens.tolist()
    assert [h.tokens for h in search.hypotheses] == [h.tokens for h in twin.hypotheses]


def test_no_new_tokens() -> None:
    search = _core.BeamSearch(start_token=1, end_tokens=[2], max_new_tokens=0)
    assert search.done
    assert search.tokens.shape == search.parents.shape == (0,)
    (hypothesis,) = search.hypotheses
    assert (hypothesis.tokens, hypothesis.token_log_probs, hypothesis.rows) == ([], [], [])
    assert (hypothesis.log_prob, hypothesis.score) == (0, 0)
    assert hypothesis.finish_reason == "length"


def best_continuations(logits: Any, past: Any, count: int) -> list[tuple[int, int]]:
    """(row, token) of the best, by sorting everything."""
    log_probs = logits.astype(np.float64)
    log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
    order = np.argsort(-(log_probs + past[:, None]), axis=None, kind="stable")[:count]
    return [(int(i) // logits.shape[1], int(i) % logits.shape[1]) for i in order]


@pytest.mark.parametrize("skew", [0, 3, 30])
def test_a_wide_beam_takes_the_best_of_all_rows(skew: float) -> None:
    # skewed: a few rows give most of the beam, far more than an even share
    beam_size, vocab_size = 200, 700
    rng = np.random.default_rng(3)
    search = _core.BeamSearch(
        beam_size=beam_size, start_token=0, end_tokens=[1], max_new_tokens=4, num_candidates=1000
    )
    log_probs, first = np.zeros(1), True
    for _ in range(3):
        logits = rng.normal(size=(len(search.tokens), vocab_size)).astype(np.float32)
        if first:
            logits *= skew
        first = False
        logits[:, 1] = -np.inf
        search.advance(logits)
        expected = best_continuations(logits, log_probs, beam_size)
        assert list(zip(search.parents, search.tokens, strict=True)) == expected
        log_probs = search.tree[2][-beam_size:]


def test_a_beam_wider_than_the_vocabulary_grows() -> None:
    search = _core.BeamSearch(beam_size=2**31 - 1, start_token=0, end_tokens=[], max_new_tokens=3)
    sizes = []
    while not search.done:
        sizes.append(len(search.tokens))
        search.advance(np.zeros((sizes[-1], 3), np.float32))
    assert sizes == [1, 3, 9]
    assert len(search.hypotheses) == 27


def test_the_tree_and_the_rows_tell_where_tokens_come_from(make_table: Any, drive: Any) -> None:
    seen: list[list[int]] = []  # tokens of the rows of every step
    search = _core.BeamSearch(
        beam_size=4, start_token=3, end_tokens=[0], max_new_tokens=6, length_penalty=0.6
    )
    drive(search, [make_table(5, 9)], lambda: seen.append(search.tokens.tolist()))
    tokens, parents, log_probs, ended = search.tree
    assert (tokens[0], parents[0], log_probs[0], ended[0]) == (3, -1, 0, False)
    assert not ended[parents[1:]].any()  # no end token has children
    assert (parents[1:] < np.arange(1, len(parents))).all()
    for hypothesis in search.hypotheses:
        spelled = [3, *hypothesis.tokens]
        assert [seen[step][row] for step, row in enumerate(hypothesis.rows)] == spelled[
            : len(hypothesis.rows)
        ]
        assert sum(hypothesis.token_log_probs) == pytest.approx(hypothesis.log_prob, abs=1e-12)
        length = len(hypothesis.token_log_probs)
        assert length == len(hypothesis.tokens) + (hypothesis.finish_reason == "stop")
        assert hypothesis.score == pytest.approx(hypothesis.log_prob / length**0.6, rel=1e-12)


def test_the_example_of_the_documentation() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(20, 20)).astype(np.float32)

    def my_model(tokens: Any, parents: Any) -> Any:
        assert tokens.shape == parents.shape
        assert tokens.dtype == parents.dtype == np.int32
        return table[tokens]

    search = _core.BeamSearch(beam_size=5, start_token=1, end_tokens=[2], max_new_tokens=40)
    assert (search.tokens.tolist(), search.parents.tolist()) == ([1], [0])
    while not search.done:
        logits = my_model(search.tokens, search.parents)
        search.advance(logits)
    scores = [hypothesis.score for hypothesis in search.hypotheses]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert "SearchHypothesis(tokens=" in repr(search.hypotheses[0])


OPTIONS = {"beam_size": 3, "start_token": 1, "end_tokens": [2], "max_new_tokens": 5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beam_size": 0}, "beam_size is 0, expected at least 1"),
        ({"beam_size": 2**31}, "beam_size is 2147483648, expected at most 2147483647"),
        ({"num_hypotheses": 0}, "num_hypotheses is 0, expected at least 1"),
        ({"num_candidates": 0}, "num_candidates is 0, expected at least 1"),
        (
            {"num_hypotheses": 4},
            "num_hypotheses is 4, expected at most num_candidates = 3",
        ),
        ({"max_new_tokens": -1}, "max_new_tokens of sentence 0 is -1, expected at least 0"),
        ({"min_new_tokens": -1}, "min_new_tokens is -1, expected at least 0"),
        ({"length_penalty": np.nan}, "length_penalty is nan, expected a finite number"),
        ({"length_penalty": np.inf}, "length_penalty is inf, expected a finite number"),
        ({"stopping": "best"}, 'stopping is "best", expected "candidates" or "optimal"'),
        ({"end_tokens": [0, -1]}, "end_tokens[1] is -1, expected at least 0"),
        (
            {"start_token": -2},
            "start token of sentence 0 is -2, expected a token of the vocabulary",
        ),
    ],
)
def test_options_are_checked(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=re.escape(message)):
        _core.BeamSearch(**{**OPTIONS, **change})


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (np.zeros((2, 9), np.float32), "logits.shape[0] is 2, expected 1"),
        (np.zeros(9, np.float32), "logits.ndim is 1, expected 2"),
        (np.zeros((1, 9)), "logits.dtype is float64, expected float32"),
        (np.zeros((1, 18), np.float32)[:, ::2], "logits are not C-contiguous"),
        (
            np.zeros((1, 2), np.float32),
            "end token is 2, expected a token of the vocabulary: 0 to",
        ),
        (
            np.zeros((1, 1), np.float32),
            "start token of sentence 0 is 1, expected a token of the vocabulary",
        ),
    ],
)
def test_logits_are_checked(logits: Any, message: str) -> None:
    search = _core.BeamSearch(**OPTIONS)
    with pytest.raises(ValueError, match=re.escape(message)):
        search.advance(logits)
    search.advance(np.zeros((1, 9), np.float32))  # nothing has changed
    assert search.tokens.tolist() == [0, 1, 3]
    with pytest.raises(ValueError, match=r"logits.shape\[1\] is 8, expected 9"):
        search.advance(np.zeros((3, 8), np.float32))


def test_advance_after_the_end_is_an_error() -> None:
    search = _core.BeamSearch(**{**OPTIONS, "max_new_tokens": 1})
    search.advance(np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="once the search is done"):
        search.advance(np.zeros((3, 4), np.float32))


def test_misaligned_logits_are_read_all_the_same() -> None:
    logits = np.frombuffer(b"\0" + np.array([0, 3, 1], np.float32).tobytes(), np.uint8)[1:]
    search = _core.BeamSearch(**{**OPTIONS, "beam_size": 1})
    search.advance(logits.view(np.float32).reshape(1, 3))
    assert search.tokens.tolist() == [1]
