"""Texts that share batches and workers give the results of each text alone, bit for bit."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attnengine as ae
from attnengine import _core
from attnengine.decoding.compiled_options import compile_options
from attnengine.decoding.loop import Task
from attnengine.decoding.options import BeamOptions
from attnengine.decoding.sentences import Sentence
from attnengine.scheduling.offline import decode
from attnengine.scheduling.workers import WorkList

THREADS = 4

batching = st.fixed_dictionaries(
    {"max_batch_size": st.integers(1, 9), "num_workers": st.integers(1, THREADS)}
)
searches = st.one_of(
    st.fixed_dictionaries(
        {"beam_size": st.integers(1, 4), "stopping": st.sampled_from(["candidates", "optimal"])}
    ),
    st.fixed_dictionaries({"seed": st.integers(0, 9), "num_hypotheses": st.integers(1, 3)}),
)
lengths = st.tuples(st.integers(0, 3), st.integers(3, 9))
words = st.text("abcde", min_size=1, max_size=8)


@pytest.fixture(scope="module")
def engines(seq2seq_path: Path, lm_path: Path, write_model: Any) -> dict[str, Any]:
    paths = {
        "rnn": seq2seq_path,
        "transformer": write_model("transformer"),
        "lm": lm_path,
        "encoder": write_model("rnn_encoder", tokenizer="characters"),
    }
    return {name: ae.load(path, num_threads=THREADS) for name, path in paths.items()}


def everything(result: ae.Result) -> Any:
    attention = [h.attention.tobytes() for h in result.hypotheses if h.attention is not None]
    return result, attention, result.tree and result.tree.to_dict()


@pytest.mark.parametrize("kind", ["rnn", "transformer"])
@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=1, max_size=12), batching, searches, lengths, st.booleans())
def test_translate(
    engines: dict[str, Any],
    kind: str,
    texts: list[str],
    batching: dict[str, int],
    search: dict[str, Any],
    lengths: tuple[int, int],
    details: bool,
) -> None:
    model = engines[kind]
    options = {**search, "min_new_tokens": lengths[0], "max_new_tokens": lengths[1]}
    options |= {"return_attention": details, "return_tree": details}
    prefixes = ["P1 P2 P3"[: 3 * (len(text) % 4)].strip() for text in texts]
    model.num_workers = 1
    alone = [
        model.translate(text, prefix=prefix, **options)
        for text, prefix in zip(texts, prefixes, strict=True)
    ]
    model.num_workers = batching["num_workers"]
    together = model.translate(
        texts, prefix=prefixes, max_batch_size=batching["max_batch_size"], **options
    )
    assert [everything(one) for one in together] == [everything(one) for one in alone]


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=1, max_size=12), batching, searches, lengths)
def test_generate_and_score(
    engines: dict[str, Any],
    texts: list[str],
    batching: dict[str, int],
    search: dict[str, Any],
    lengths: tuple[int, int],
) -> None:
    model = engines["lm"]
    options = {**search, "min_new_tokens": lengths[0], "max_new_tokens": lengths[1]}
    model.num_workers = 1
    alone = [model.generate(text, **options) for text in texts]
    scores = [model.score(text) for text in texts]
    model.num_workers = batching["num_workers"]
    size = batching["max_batch_size"]
    assert model.generate(texts, max_batch_size=size, **options) == alone
    assert model.score(texts, max_batch_size=size) == scores


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=1, max_size=12), batching)
def test_encode(engines: dict[str, Any], texts: list[str], batching: dict[str, int]) -> None:
    model = engines["encoder"]
    model.num_workers = 1
    alone = np.stack([model.encode(text) for text in texts])
    model.num_workers = batching["num_workers"]
    together = model.encode(texts, max_batch_size=batching["max_batch_size"])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("num_workers", [1, 3])
def test_rules_know_their_texts(engines: dict[str, Any], num_workers: int) -> None:
    wanted = {}

    def rule(logits: Any, search: Any) -> None:
        for row in np.flatnonzero(search.lengths == 0):
            logits[row] = -np.inf
            logits[row, wanted[int(search.sentences[row])]] = 0

    model = engines["lm"]
    model.num_workers = num_workers
    texts = ["ab", "cdeabc", "a", "dea", "bbbbb"]
    wanted.update({index: 2 + index for index in range(len(texts))})
    results = model.generate(texts, rules=[rule], max_batch_size=2, max_new_tokens=6)
    assert [result.hypotheses[0].ids[0] for result in results] == list(wanted.values())


def test_rules_run_one_at_a_time(engines: dict[str, Any]) -> None:
    """Rules with a memory of their own never run at the same time, even if they wait."""
    model = engines["lm"]
    model.num_workers = 3
    inside: list[object] = []

    def enter(logits: Any, search: Any) -> None:
        inside.append(search)
        threading.Event().wait(1e-4)

    def leave(logits: Any, search: Any) -> None:
        assert inside == [search]
        inside.clear()

    model.generate(["ab", "cde", "bd"] * 9, rules=[enter, leave], max_batch_size=6)


def test_texts_without_new_tokens(engines: dict[str, Any]) -> None:
    """Texts with max_new_tokens 0 are finished at once and do not change their neighbours."""
    model, options = engines["lm"]._model, compile_options(BeamOptions(beam_size=2), [1])
    limits = [0, 4, 0, 0, 3, 0]
    tasks = [Task(Sentence([2 + i, 3]), limit, options) for i, limit in enumerate(limits)]
    alone = [decode(model, [task], 32)[0].hypotheses[0] for task in tasks]
    several = decode(model, tasks, 4)
    together = [found.hypotheses[0] for found in several]
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    assert [one.tokens == [] for one in together] == [limit == 0 for limit in limits]
    assert together[0].finish_reason == "length"


def test_tokens_that_may_not_be_first(write_model: Any) -> None:
    model = ae.load(write_model("rnn_lm"), num_threads=1)
    assert isinstance(model, ae.LanguageModel)
    texts = ["ab", "cdeabc", "a", "dea", "bbbbb"]
    first = {result.hypotheses[0].ids[0] for result in model.generate(texts, min_new_tokens=3)}
    model.config["begin_suppress_tokens"] = sorted(first)
    results = model.generate(texts, min_new_tokens=3, max_batch_size=2)
    assert not first & {result.hypotheses[0].ids[0] for result in results}
    assert first & {i for result in results for i in result.hypotheses[0].ids[1:]}


def test_only_a_batch_is_held(engines: dict[str, Any]) -> None:
    model = engines["lm"]
    model.num_workers = 1
    seen: set[int] = set()

    def watch(logits: Any, search: Any) -> None:
        now = set(search.sentences.tolist())
        assert len(now) <= 8
        seen.update(now)

    texts = ["abcdeabc"[i % 5 : 5 + i % 3] for i in range(10_000)]
    results = model.generate(texts, max_batch_size=8, max_new_tokens=3, rules=[watch])
    assert len(results) == len(seen) == len(texts)


def test_new_texts_come_before_the_last_has_ended(engines: dict[str, Any]) -> None:
    model = engines["lm"]
    model.num_workers = 1
    ages = []
    texts = ["a", "b", "cd", "ea", "bc", "da", "bd", "ca", "de"] * 3
    model.generate(
        texts,
        max_batch_size=4,
        max_new_tokens=30,
        rules=[lambda _, search: ages.append(search.lengths)],
    )
    assert any(age.max() > 0 and age.min() == 0 for age in ages)


def test_the_first_batches_are_dealt() -> None:
    sentences = [Sentence([0] * length) for length in (3, 9, 1, 5, 4, 8, 2, 7, 6)]
    waiting = WorkList(sentences, max_batch_size=6, num_workers=2)
    batches = iter(lambda: [len(sentences[i].tokens) for i in waiting.take(waiting.batch_size)], [])
    assert list(batches) == [[9, 7, 5], [8, 6, 4], [3, 2, 1]]
    assert WorkList(sentences, max_batch_size=32, num_workers=2).batch_size == 5
    assert WorkList(sentences, max_batch_size=8, num_workers=3).batch_size == 2


def test_threads_are_divided(engines: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []
    monkeypatch.setattr(_core, "limit_threads", limits.append)
    model = engines["rnn"]
    for num_workers, texts, wanted in (
        (1, 9, []),
        (2, 9, [2, 2]),
        (3, 9, [1, 1, 1]),
        (4, 2, [2, 2]),  # no more workers than texts
        (4, 1, []),
        (None, 25, []),
        (None, 26, [2, 2]),  # beam 5: a worker gets 64 rows or more
        (None, 200, [2, 2]),  # a batch has 32 texts
    ):
        limits.clear()
        model.num_workers = num_workers
        model.translate(["abc"] * texts)
        # a thread that has finished may serve as the next worker
        assert limits == wanted[: len(limits)]
        assert bool(limits) == bool(wanted)


def test_number_of_workers(lm_path: Path) -> None:
    model = ae.load(lm_path, num_threads=3, num_workers=2)
    assert model.num_workers == 2
    assert pickle.loads(pickle.dumps(model)).num_workers == 2
    model.num_workers = 3
    for wrong in (0, 4, 2000, True, 1.5, "2"):
        with pytest.raises(ae.InvalidArgument, match=f"num_workers is {wrong!r}, expected None or"):
            model.num_workers = wrong
        with pytest.raises(ae.InvalidArgument, match=f"num_workers is {wrong!r}, expected None or"):
            ae.load(lm_path, num_threads=3, num_workers=wrong)  # type: ignore[arg-type]
    with pytest.raises(ae.InvalidArgument, match=r"num_workers is 3.* num_threads, which is 1"):
        model.num_threads = 1
    assert model.num_threads == 3
    assert "num_threads=3, num_workers=3" in repr(model)
    model.num_workers = None
    model.num_threads = 1
    assert model.num_workers is None
    assert "num_workers" not in repr(model)


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 2), (8, 3)])
def test_a_machine_with_fewer_cores(
    lm_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, expected: int
) -> None:
    monkeypatch.setattr("attnengine.scheduling.threads.available_threads", lambda: 4)
    pickled = pickle.dumps(ae.load(lm_path, num_workers=3))
    monkeypatch.setattr("attnengine.scheduling.threads.available_threads", lambda: cores)
    copy = pickle.loads(pickled)
    assert (copy.num_threads, copy.num_workers) == (cores, expected)
