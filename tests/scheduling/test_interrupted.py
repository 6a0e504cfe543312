"""Calls that end early: errors in a worker, an interrupt, streams that are not read to the end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.reference.random_weights import random_weights
from tests.conftest import LANGUAGE_MODEL, LETTERS

TEXTS = ["abc"] * 8000


@pytest.fixture
def model(seq2seq_path: Path) -> Any:
    return ae.load(seq2seq_path, num_threads=2, num_workers=2)


@pytest.fixture(params=[1, 2])
def with_a_bad_letter(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A language model that gives NaN logits after "e", with one worker or two."""
    weights = random_weights(LANGUAGE_MODEL, seed=3)
    weights["embedding.weight"][LETTERS.index("e")] = np.nan
    ae.save(tmp_path / "bad", LANGUAGE_MODEL, weights, {"vocabulary": LETTERS})
    return ae.load(tmp_path / "bad", num_threads=2, num_workers=request.param)


def no_worker_runs() -> bool:
    return not any(thread.name.startswith("attnengine") for thread in threading.enumerate())


def goes_on(model: Any, steps: list[int]) -> None:
    """Check that the call ended early: a text takes two or more steps, and up to four share one."""
    assert len(steps) < len(TEXTS) / 2
    assert no_worker_runs()
    assert model.translate(TEXTS[:4]) == [model.translate("abc")] * 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_errors_of_a_worker_stop_the_others(model: Any, error: type[BaseException]) -> None:
    steps = []

    def fail(logits: Any, search: Any) -> None:
        steps.append(len(logits))
        if 7 in search.sentences:
            raise error("seven")

    with pytest.raises(error, match="seven"):
        model.translate(TEXTS, rules=[fail], max_batch_size=4, max_new_tokens=5)
    goes_on(model, steps)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Enables SIGINT, because processes in the background inherit an ignored one."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("num_workers", [1, 2])
def test_an_interrupt(model: Any, num_workers: int) -> None:
    """Ctrl-C interrupts the calling thread while it waits for workers or runs a step."""
    model.num_workers = num_workers
    steps: list[int] = []

    def interrupt(logits: Any, search: Any) -> None:
        steps.append(threading.get_ident())
        if len(steps) == 50:  # all workers run, and the caller reaches its wait
            threading.Event().wait(0.1)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        model.translate(TEXTS, rules=[interrupt], max_batch_size=4, max_new_tokens=5)
    goes_on(model, steps)


@pytest.mark.parametrize("name", ["generate", "score"])
def test_logits_that_are_not_finite(with_a_bad_letter: Any, name: str) -> None:
    call = getattr(with_a_bad_letter, name)
    good = ["abcd", "bad", "dab"] * 50
    expected = call(good)
    with pytest.raises(ae.InvalidArgument, match="NaN"):
        call([*good, "bed", *good], max_batch_size=8)
    assert no_worker_runs()
    assert call(good) == expected


def test_streams_that_are_left(lm: ae.LanguageModel) -> None:
    """Other calls go on after a stream is closed before its first piece, midway, or forgotten."""
    options: dict[str, Any] = {"max_new_tokens": 20, "min_new_tokens": 20}
    expected = list(lm.stream("ab", **options))
    streams: list[Any] = [lm.stream("ab", **options) for _ in range(4)]
    streams[0].close()
    pieces = [next(stream) for stream in streams[1:]]
    streams[1].close()
    assert list(streams[1]) == []
    forgotten = streams.pop()
    del forgotten
    assert pieces == expected[:1] * 3
    assert [pieces[1], *streams[2]] == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_stream_that_fails_has_ended(lm: ae.LanguageModel, error: type[BaseException]) -> None:
    def fail(logits: Any, search: Any) -> None:
        if search.lengths[0] == 3:
            raise error("three")

    stream = lm.stream("ab", max_new_tokens=20, min_new_tokens=20, rules=[fail])
    pieces: list[str] = []
    with pytest.raises(error, match="three"):
        pieces.extend(stream)
    assert "".join(pieces) == lm.generate("ab", max_new_tokens=3).text
    assert list(stream) == []
