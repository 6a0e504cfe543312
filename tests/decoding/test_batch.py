"""Sentences with different options share one session and one search."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.decoding.compiled_options import compile_options
from attnengine.decoding.loop import Batch, Found, Task, stream
from attnengine.decoding.options import BeamOptions, SamplingOptions, SearchOptions
from attnengine.decoding.sentences import Sentence
from tests.models import checks
from tests.models.configs import T5

SOURCES = [[2, 3, 4, 1], [5, 1], [3, 3, 2, 6, 1], [4, 2, 1], [6, 5, 1], [2, 2, 1]]


def forbid_two(logits: Any, rows: Any) -> None:
    logits[:, 2] = -np.inf


@dataclasses.dataclass
class Forbid:
    """A rule that cannot be hashed."""

    token: int

    def __call__(self, logits: Any, rows: Any) -> None:
        logits[:, self.token] = -np.inf


def forbid_of_the_text(logits: Any, rows: Any) -> None:
    logits[np.arange(len(logits)), 3 + rows.sentences % 2 + rows.lengths % 2] = -np.inf


OPTIONS: list[SearchOptions] = [
    BeamOptions(beam_size=5, num_hypotheses=5, return_attention=True),
    BeamOptions(),
    SamplingOptions(num_hypotheses=3, seed=1),
    BeamOptions(beam_size=3, rules=(forbid_two,), return_tree=True),
    SamplingOptions(seed=7, rules=(Forbid(2), forbid_of_the_text), return_attention=True),
    BeamOptions(beam_size=2, suppress=(3,), min_new_tokens=2),
]


def tasks() -> list[Task]:
    return [
        Task(Sentence([0], source), 6, compile_options(options, [1]))
        for source, options in zip(SOURCES, OPTIONS, strict=True)
    ]


def decode(model: Any, numbers: list[int], tasks: list[Task]) -> dict[int, Any]:
    batch = Batch(model)
    batch.add(numbers, tasks)
    found: dict[int, Any] = {}
    while batch.live:
        if not batch.search.done:
            batch.step()
        found.update(batch.ended())
    return found


def everything(found: Found) -> Any:
    hypotheses = [
        (h.tokens, h.score, h.log_prob, h.token_log_probs, h.rows) for h in found.hypotheses
    ]
    attention = found.attention and [one.tobytes() for one in found.attention]
    return hypotheses, attention, found.tree and found.tree.to_dict()


@pytest.fixture(params=["rnn", "transformer"])
def model(request: Any, seq2seq: ae.Seq2Seq) -> Any:
    return seq2seq._model if request.param == "rnn" else checks.model(T5)


def test_a_sentence_finds_the_same_among_others_with_other_options(model: Any) -> None:
    together = decode(model, list(range(len(OPTIONS))), tasks())
    for number, task in enumerate(tasks()):
        alone = decode(model, [number], [task])[number]
        assert everything(together[number]) == everything(alone)
    assert [one.attention is not None for one in together.values()].count(True) == 2


def test_a_sentence_that_fails_leaves_the_others_alone(model: Any) -> None:
    def spoil(logits: Any, rows: Any) -> None:
        logits[rows.lengths == 1] = np.nan

    wanted = decode(model, [0, 2], [tasks()[0], tasks()[2]])
    bad = compile_options(BeamOptions(rules=(spoil,), min_new_tokens=3), [1])
    mixed = [tasks()[0], Task(Sentence([0], SOURCES[1]), 6, bad), tasks()[2]]
    found = decode(model, [0, 1, 2], mixed)
    assert isinstance(found[1], ae.InvalidArgument)
    assert "the logits of sentence 1" in str(found[1])
    assert "hold NaN" in str(found[1])
    for number in (0, 2):
        assert everything(found[number]) == everything(wanted[number])
    with pytest.raises(ae.InvalidArgument, match="hold NaN"):
        list(stream(model, mixed[1]))


def test_what_a_config_suppresses_is_no_python_rule(seq2seq: ae.Seq2Seq) -> None:
    """Workers take no turns for it."""
    plain = seq2seq.translate("abc").hypotheses[0].ids
    compiled = seq2seq._compile(BeamOptions(suppress=(4,)))
    assert compiled.options.rules == ()
    seq2seq.config |= {"suppress_tokens": plain[:1], "begin_suppress_tokens": [2, 3]}
    try:
        compiled = seq2seq._compile(BeamOptions(suppress=(4,), suppress_first=(5,)))
        ids = seq2seq.translate("abc").hypotheses[0].ids
    finally:
        del seq2seq.config["suppress_tokens"], seq2seq.config["begin_suppress_tokens"]
    assert dataclasses.asdict(compiled.options)["suppress"] == (*plain[:1], 4)
    assert compiled.options.suppress_first == (2, 3, 5)
    assert plain[0] not in ids
    assert ids[0] not in (2, 3)


def test_sentences_join_a_batch_that_runs(model: Any) -> None:
    batch, found = Batch(model), dict[int, Any]()
    batch.add([1, 2], tasks()[1:3])
    batch.step()
    found.update(batch.ended())
    nothing = Task(Sentence([0], SOURCES[3]), 0, tasks()[3].search)
    batch.add([0, 4, 9], [tasks()[0], tasks()[4], nothing])
    while batch.live:
        if not batch.search.done:
            batch.step()
        found.update(batch.ended())
    assert not batch.session.keep_alignment  # the last sentence that wants it has ended
    assert batch.search.ended == []  # nothing is held of a sentence that has ended
    with pytest.raises(ae.InvalidArgument, match="sentence is 1, expected the number of a sent"):
        batch.search.hypotheses(1)
    assert found[9].hypotheses[0].finish_reason == "length"
    for number in (0, 1, 2, 4):
        alone = decode(model, [number], [tasks()[number]])[number]
        assert everything(found[number]) == everything(alone)


def test_a_task_that_cannot_join_changes_nothing(seq2seq: ae.Seq2Seq) -> None:
    batch = Batch(seq2seq._model)
    batch.add([0], tasks()[:1])
    bad = Task(Sentence([0], SOURCES[1]), 6, compile_options(BeamOptions(suppress=(999,)), [1]))
    with pytest.raises(ae.InvalidArgument, match="a token of suppress is 999"):
        batch.add([1], [bad])
    assert batch.live == 1
    while batch.live:
        batch.step()
        for number, found in batch.ended():
            alone = decode(seq2seq._model, [number], tasks()[:1])[number]
            assert everything(found) == everything(alone)


def test_suppressed_ids_must_be_of_the_vocabulary(seq2seq: ae.Seq2Seq) -> None:
    for name in ("suppress", "suppress_first"):
        with pytest.raises(ae.InvalidArgument, match=f"{name} has 999, expected ids of the voc"):
            seq2seq.translate("abc", **{name: [1, 999]})


def test_rules_of_the_user_come_before_those_of_options(seq2seq: ae.Seq2Seq) -> None:
    """They see logits that nothing has forbidden, and cannot allow a suppressed token."""
    seen = []

    def allow(logits: Any, rows: Any) -> None:
        seen.append(np.isfinite(logits).all())
        logits[:, 4] = 50

    result = seq2seq.translate("abc", rules=[allow], suppress=[4], max_new_tokens=4)
    assert all(seen)
    assert 4 not in result.hypotheses[0].ids
