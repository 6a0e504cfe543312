"""The loop over decoding steps: the model computes logits, the search chooses tokens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding import rules
from attnengine.decoding.compiled_options import CompiledOptions
from attnengine.decoding.kept_attention import KeptAttention
from attnengine.decoding.results import BeamTree
from attnengine.decoding.sentences import Sentence
from attnengine.decoding.session import Session
from attnengine.errors import Error, InvalidArgument

Floats = NDArray[np.float32]

_REFILL = 8  # refill when 1/8 of the batch has finished


@dataclass(frozen=True)
class Task:
    """A sentence to continue and the options of its search; tasks may share one set of options.

    ``sentence.tokens`` is the prompt; new tokens follow its last one.
    """

    sentence: Sentence
    max_new_tokens: int
    search: CompiledOptions


@dataclass(frozen=True)
class Found:
    """The outcome of the search for one task."""

    hypotheses: list[_core.SearchHypothesis]  # best first
    attention: list[Floats] | None  # per hypothesis: (prefix and new tokens, source)
    tree: BeamTree | None


class Batch:
    """Sentences that are decoded together: a session with the model's state, and a search.

    ``turn`` is a lock or another context manager; the batch holds it while Python rules run.
    """

    def __init__(
        self, model: _core.Decoder, turn: AbstractContextManager[Any] | None = None
    ) -> None:
        self.session = Session(model)
        self.search = _core.Search(model.vocab_size, model.num_threads, fail_apart=True)
        self.attention = KeptAttention()
        self._tasks: dict[int, Task] = {}  # by the sentence's number
        self._rules: dict[int, tuple[rules.Rule, ...]] = {}  # by number; only sentences with rules
        self._turn = turn or contextlib.nullcontext()

    @property
    def live(self) -> int:
        """The number of sentences that have not ended."""
        return len(self._tasks)

    def free(self, batch_size: int) -> int:
        """Return the number of sentences to add; 0 until 1/8 of the batch has finished."""
        free = batch_size - self.live
        return free if _REFILL * free >= batch_size else 0

    def add(self, numbers: Sequence[int], tasks: Sequence[Task]) -> None:
        """Add tasks: feed each prompt except its last token, which the next step feeds."""
        rows_before = len(self.session.sequences)
        self.search.add([_new(*one) for one in zip(numbers, tasks, strict=True)])  # or raises
        self._note(numbers, tasks)
        sentences = [task.sentence for task in tasks]
        sequences = self.session.add(sentences)  # (sentences,)
        prompts = [sentence.tokens[:-1] for sentence in sentences]
        owners = np.repeat(np.array(numbers, np.int32), [len(p) for p in prompts])
        for rows in self.session.feed(sequences, prompts):
            if self.attention.wanted:
                self.attention.keep_prefix(owners[rows], self.session.attention)
        # A sentence with max_new_tokens 0 ends at once and has no row.
        self.session.join(sequences, self.search.parents[rows_before:] - rows_before)

    def step(self) -> None:
        """Extend every live hypothesis by one token."""
        search = self.search
        logits = self.session.step(search.tokens)  # (rows, vocab_size)
        if self._rules:
            with self._turn:
                rules.apply(self._rules, logits, search)
        if self.attention.wanted:
            self.attention.keep(search.sentences, self.session.attention)
        search.advance(logits)
        self.session.reorder(search.parents)

    def ended(self) -> Iterator[tuple[int, Found | Error]]:
        """Yield the number of each ended sentence with its outcome or error, then drop it."""
        for number in self.search.ended:
            yield number, self._found(number)
            self._drop(number)
        for number, reason in self.search.failed:
            yield number, InvalidArgument(reason)
            self._drop(number)

    def _note(self, numbers: Sequence[int], tasks: Sequence[Task]) -> None:
        """Record the tasks of new sentences, and their rules and wish for attention weights."""
        for number, task in zip(numbers, tasks, strict=True):
            options = task.search.options
            self._tasks[number] = task
            if options.rules:
                self._rules[number] = options.rules
            if options.return_attention:
                self.attention.add(number, task.sentence)
        self.session.keep_alignment = self.attention.wanted

    def _found(self, number: int) -> Found:
        options = self._tasks[number].search.options
        hypotheses = self.search.hypotheses(number)
        attention = self.attention.take(number, hypotheses) if options.return_attention else None
        tree = BeamTree(*self.search.tree(number)) if options.return_tree else None
        return Found(hypotheses, attention, tree)

    def _drop(self, number: int) -> None:
        self.search.drop(number)
        self.attention.drop(number)
        self.session.keep_alignment = self.attention.wanted
        self._rules.pop(number, None)
        del self._tasks[number]


def stream(model: _core.Decoder, task: Task) -> Iterator[list[int]]:
    """Yield, after each step, the new tokens that every possible result begins with.

    The last list holds all tokens of the best hypothesis. Closing the iterator stops the search.
    Raises InvalidArgument for logits that hold NaN or +inf, and when every token is forbidden.
    """
    batch = Batch(model)
    batch.add([0], [task])
    while not batch.search.done:
        batch.step()
        for _, reason in batch.search.failed:
            raise InvalidArgument(reason)
        yield batch.search.stable(0)


def _new(number: int, task: Task) -> _core.NewSentence:
    source = task.sentence.source
    return _core.NewSentence(
        number=number,
        options=task.search.search,
        past=task.sentence.tokens,
        max_new_tokens=task.max_new_tokens,
        source=source if isinstance(source, list) else [],
    )
