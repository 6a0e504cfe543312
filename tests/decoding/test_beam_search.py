from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import attnengine as ae


@pytest.mark.parametrize(
    ("length_penalty", "first", "expected"),
    [
        # The mean of the tokens so far is no bound for longer hypotheses: the best one is long,
        # although every shorter one has a lower mean.
        (1.0, [0.8, 0.15, 0.05], [1, *[2] * 19]),
        # A negative penalty multiplies by the root of the length: the nearest end is the best.
        (-0.5, [0.3, 0.65, 0.05], [1]),
    ],
)
def test_optimal_finds_what_candidates_misses(
    length_penalty: float, first: list[float], expected: list[int]
) -> None:
    later = [0.005, 0.005, 0.99] if length_penalty > 0 else [0.99, 0.005, 0.005]
    table = np.log(np.array([first, later, later], np.float32))
    found = {}
    for stopping in ("candidates", "optimal"):
        search = ae.BeamSearch(
            beam_size=2,
            start_token=0,
            end_tokens=[0],
            max_new_tokens=20,
            num_candidates=1,
            length_penalty=length_penalty,
            stopping=stopping,
        )
        while not search.done:
            search.advance(table[search.tokens])
        found[stopping] = search.hypotheses[0]
    assert found["candidates"].ids == []
    assert found["optimal"].ids == expected
    length = len(found["optimal"].token_log_probs)
    score = found["optimal"].log_prob / length**length_penalty
    assert found["optimal"].score == pytest.approx(score)
    assert score > found["candidates"].score


def test_an_end_token_behind_the_beam_is_ignored() -> None:
    search = ae.BeamSearch(beam_size=2, start_token=0, end_tokens=[3], max_new_tokens=9)
    search.advance(np.array([[2, -1, -5, -2]], np.float32))  # the end token ranks third
    assert search.hypotheses == []
    assert search.tokens.tolist() == [0, 1]
    search.advance(np.array([[1, -9, -9, 3], [-9, -9, -9, 0]], np.float32))
    # First row: the end token and 0 rank first and second. Second row: the end token ranks third.
    assert [h.ids for h in search.hypotheses] == [[0]]
    assert search.tokens.tolist() == [0, 0]
    assert search.parents.tolist() == [0, 1]


def test_ties_go_to_the_lower_row_then_to_the_lower_token() -> None:
    search = ae.BeamSearch(beam_size=3, start_token=0, end_tokens=[], max_new_tokens=2)
    search.advance(np.zeros((1, 5), np.float32))
    assert search.tokens.tolist() == [0, 1, 2]
    search.advance(np.zeros((3, 5), np.float32))
    assert [h.ids for h in search.hypotheses] == [[0, 0], [0, 1], [0, 2]]


def test_two_end_tokens_spell_one_text() -> None:
    search = ae.BeamSearch(
        beam_size=4, start_token=0, end_tokens=[1, 2], max_new_tokens=1, num_candidates=2
    )
    search.advance(np.array([[0, 3, 2, 1]], np.float32))
    assert [(h.ids, h.finish_reason) for h in search.hypotheses] == [
        ([], "stop"),
        ([3], "length"),
    ]
    log_probs = np.array([0, 3, 2, 1]) - np.log(np.exp([0, 3, 2, 1]).sum())
    assert search.hypotheses[0].log_prob == pytest.approx(log_probs[1], abs=1e-6)
    assert search.tree.ids.tolist() == [0, 1, 2, 3, 0]
    assert search.tree.parents.tolist() == [-1, 0, 0, 0, 0]
    assert search.tree.ended.tolist() == [False, True, True, False, False]


def test_the_start_token_may_be_an_end_token() -> None:
    search = ae.BeamSearch(beam_size=1, start_token=2, end_tokens=[2], max_new_tokens=3)
    search.advance(np.array([[0, 1, 0]], np.float32))
    search.advance(np.array([[0, 0, 1]], np.float32))
    assert search.hypotheses[0].ids == [1]
    assert search.tree.ids.tolist() == [2, 1, 2, 0]
    assert search.tree.ended.tolist() == [False, False, True, False]


def test_the_minimum_length_shares_the_probability_of_the_end_token() -> None:
    logits = np.array([[5, 1, 0]], np.float32)
    search = ae.BeamSearch(
        beam_size=1, start_token=0, end_tokens=[0], max_new_tokens=5, min_new_tokens=1
    )
    search.advance(logits)
    assert logits.tolist() == [[5, 1, 0]]  # the caller's array is restored
    logits.flags.writeable = False
    search.advance(logits)
    (hypothesis,) = search.hypotheses
    assert hypothesis.ids == [1]
    first = 1 - np.log(np.exp(1) + 1)
    second = 5 - np.log(np.exp([5, 1, 0]).sum())
    np.testing.assert_allclose(hypothesis.token_log_probs, [first, second], atol=1e-6)


def test_the_minimum_length_copies_logits_that_are_not_writable() -> None:
    logits = np.array([[5, 1, 0]], np.float32)
    logits.flags.writeable = False
    search = ae.BeamSearch(
        beam_size=1, start_token=0, end_tokens=[0], max_new_tokens=5, min_new_tokens=1
    )
    search.advance(logits)
    assert search.tokens.tolist() == [1]
    assert logits.tolist() == [[5, 1, 0]]


def test_impossible_continuations_are_never_taken() -> None:
    search = ae.BeamSearch(beam_size=4, start_token=0, end_tokens=[0], max_new_tokens=5)
    inf = np.inf
    search.advance(np.array([[1, 0, -inf, -inf]], np.float32))
    assert search.tokens.tolist() == [1]
    search.advance(np.array([[-inf, -inf, -inf, -inf]], np.float32))
    assert search.done  # one hypothesis has ended, and no other can end
    assert [h.ids for h in search.hypotheses] == [[]]


def test_no_new_tokens() -> None:
    search = ae.BeamSearch(start_token=1, end_tokens=[2], max_new_tokens=0)
    assert search.done
    assert search.tokens.shape == search.parents.shape == (0,)
    (hypothesis,) = search.hypotheses
    assert (hypothesis.ids, hypothesis.token_log_probs, hypothesis.rows) == ([], [], [])
    assert (hypothesis.log_prob, hypothesis.score) == (0, 0)
    assert hypothesis.finish_reason == "length"


def best_continuations(logits: Any, past: Any, count: int) -> list[tuple[int, int]]:
    """(row, token) of the best continuations, found by sorting all of them."""
    log_probs = logits.astype(np.float64)
    log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
    order = np.argsort(-(log_probs + past[:, None]), axis=None, kind="stable")[:count]
    return [(int(i) // logits.shape[1], int(i) % logits.shape[1]) for i in order]


@pytest.mark.parametrize("skew", [0, 3, 30])
def test_a_wide_beam_takes_the_best_of_all_rows(skew: float) -> None:
    # skewed: a few rows give most of the beam
    beam_size, vocab_size = 200, 700
    rng = np.random.default_rng(3)
    search = ae.BeamSearch(
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
        log_probs = search.tree.log_probs[-beam_size:]


def test_a_beam_wider_than_the_vocabulary_grows() -> None:
    search = ae.BeamSearch(beam_size=2**31 - 1, start_token=0, end_tokens=[], max_new_tokens=3)
    sizes = []
    while not search.done:
        sizes.append(len(search.tokens))
        search.advance(np.zeros((sizes[-1], 3), np.float32))
    assert sizes == [1, 3, 9]
    assert len(search.hypotheses) == 27


def test_the_tree_and_the_rows_tell_where_tokens_come_from(make_table: Any, drive: Any) -> None:
    seen: list[list[int]] = []  # tokens of the rows of every step
    search = ae.BeamSearch(
        beam_size=4, start_token=3, end_tokens=[0], max_new_tokens=6, length_penalty=0.6
    )
    drive(search, [make_table(5, 9)], lambda: seen.append(search.tokens.tolist()))
    tree = search.tree
    parents, ended = tree.parents, tree.ended
    assert (tree.ids[0], parents[0], tree.log_probs[0], ended[0]) == (3, -1, 0, False)
    assert not ended[parents[1:]].any()  # no end token has children
    assert (parents[1:] < np.arange(1, len(parents))).all()
    for hypothesis in search.hypotheses:
        spelled = [3, *hypothesis.ids]
        assert [seen[step][row] for step, row in enumerate(hypothesis.rows)] == spelled[
            : len(hypothesis.rows)
        ]
        assert sum(hypothesis.token_log_probs) == pytest.approx(hypothesis.log_prob, abs=1e-12)
        length = len(hypothesis.token_log_probs)
        assert length == len(hypothesis.ids) + (hypothesis.finish_reason == "stop")
        assert hypothesis.score == pytest.approx(hypothesis.log_prob / length**0.6, rel=1e-12)


def test_the_example_of_the_documentation() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(20, 20)).astype(np.float32)

    def my_model(tokens: Any, parents: Any) -> Any:
        assert tokens.shape == parents.shape
        assert tokens.dtype == parents.dtype == np.int32
        return table[tokens]

    search = ae.BeamSearch(beam_size=5, start_token=1, end_tokens=[2], max_new_tokens=40)
    assert (search.tokens.tolist(), search.parents.tolist()) == ([1], [0])
    while not search.done:
        logits = my_model(search.tokens, search.parents)
        search.advance(logits)
    scores = [hypothesis.score for hypothesis in search.hypotheses]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert "SearchHypothesis(ids=" in repr(search.hypotheses[0])


def test_misaligned_logits_are_read_all_the_same() -> None:
    logits = np.frombuffer(b"\0" + np.array([0, 3, 1], np.float32).tobytes(), np.uint8)[1:]
    search = ae.BeamSearch(beam_size=1, start_token=1, end_tokens=[2], max_new_tokens=5)
    search.advance(logits.view(np.float32).reshape(1, 3))
    assert search.tokens.tolist() == [1]
