"""Search for continuations: the loop over steps, for many sentences together."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.batches import Ints, Sentence, feed, start
from attnengine.decoding.options import BeamOptions, Rule, SamplingOptions, SearchOptions
from attnengine.decoding.results import BeamTree
from attnengine.decoding.workers import Queue, share

Floats = NDArray[np.float32]

_SHARE = 8  # new sentences come when one in so many of a batch have ended


@dataclass(frozen=True)
class Task:
    """A sentence to continue; ``sentence.tokens`` end with the token before the first new one."""

    sentence: Sentence
    max_new_tokens: int


@dataclass(frozen=True)
class Found:
    """What the search found for one task."""

    hypotheses: list[_core.SearchHypothesis]  # best first
    attention: list[Floats] | None  # of each hypothesis: (prefix and new tokens, source)
    tree: BeamTree | None


def decode(
    model: _core.Decoder,
    tasks: Sequence[Task],
    options: SearchOptions,
    end_tokens: list[int],
    num_workers: int | None = 1,
) -> list[Found]:
    """The best continuations of every task, in the order of the tasks."""
    found: dict[int, Found] = {}
    search_options = _search_options(options, end_tokens)
    options = dataclasses.replace(options, rules=(_in_turn(options.rules),))

    def work(queue: Queue) -> None:
        run = _Run(model, options, search_options)
        while True:
            if batch := queue.take(run.room(queue.batch_size)):
                run.add(batch, [tasks[index] for index in batch])
            elif not run.live:
                return
            if not run.search.done:  # all that were added may have ended before they began
                run.step()
            found.update(run.ended())

    sentences = [task.sentence for task in tasks]
    beam = options.beam_size if isinstance(options, BeamOptions) else options.num_hypotheses
    share(model, sentences, options.max_batch_size, num_workers, beam, work)
    return [found[index] for index in range(len(tasks))]


def stream(
    model: _core.Decoder, task: Task, options: SearchOptions, end_tokens: list[int]
) -> Iterator[list[int]]:
    """After each step, the new tokens so far that every possible result begins with.

    The last list holds all tokens of the best hypothesis. Closing the iterator ends the search.
    """
    run = _Run(model, options, _search_options(options, end_tokens))
    run.add([0], [task])
    while not run.search.done:
        run.step()
        yield run.search.stable(0)


def suppress(tokens: Sequence[int]) -> Rule:
    """A rule by which these tokens are never chosen."""
    forbidden = np.array(tokens, np.int64)

    def rule(logits: Floats, search: _core.Search) -> None:  # (rows, vocab_size)
        logits[:, forbidden] = -np.inf

    return rule


def suppress_first(tokens: Sequence[int]) -> Rule:
    """A rule by which these tokens are never the first of a text."""
    forbidden = np.array(tokens, np.int64)

    def rule(logits: Floats, search: _core.Search) -> None:  # (rows, vocab_size)
        logits[np.ix_(search.lengths == 0, forbidden)] = -np.inf

    return rule


def _in_turn(rules: Sequence[Rule]) -> Rule:
    """The rules as one, which a single worker runs at a time."""
    lock = threading.Lock()

    def rule(logits: Floats, search: _core.Search) -> None:
        with lock:
            for one in rules:
                one(logits, search)

    return rule


def _search_options(
    options: SearchOptions, end_tokens: list[int]
) -> _core.BeamSearchOptions | _core.SamplingOptions:
    if isinstance(options, BeamOptions):
        return _core.BeamSearchOptions(
            beam_size=options.beam_size,
            num_hypotheses=options.num_hypotheses,
            num_candidates=options.candidates,
            length_penalty=options.length_penalty,
            optimal=options.stopping == "optimal",
            end_tokens=end_tokens,
            min_new_tokens=options.min_new_tokens,
        )
    assert isinstance(options, SamplingOptions)
    return _core.SamplingOptions(
        temperature=options.temperature,
        top_k=options.top_k,
        seed=options.seed,
        num_hypotheses=options.num_hypotheses,
        end_tokens=end_tokens,
        min_new_tokens=options.min_new_tokens,
    )


class _Run:
    """Sentences on their way: the state that carries them and the search that steers them."""

    def __init__(
        self,
        model: _core.Decoder,
        options: SearchOptions,
        search_options: _core.BeamSearchOptions | _core.SamplingOptions,
    ) -> None:
        self.model, self.options = model, options
        self.state = model.new_state()
        self.state.keep_attention = options.return_attention
        self.attention = _Attention() if options.return_attention else None
        self.sequences = np.zeros(0, np.int32)  # (rows,)
        self.live = 0  # sentences
        self.search = _core.Search(search_options, [], [], model.vocab_size, model.num_threads)

    def room(self, batch_size: int) -> int:
        """For how many more sentences there is room; few wait for others to be encoded with."""
        free = batch_size - self.live
        return free if _SHARE * free >= batch_size else 0

    def add(self, numbers: Sequence[int], tasks: Sequence[Task]) -> None:
        """Takes every prompt up to its last token, which is the search's first."""
        sentences = [task.sentence for task in tasks]
        sequences = start(self.model, self.state, sentences)  # (sentences,)
        prompts = [sentence.tokens[:-1] for sentence in sentences]
        owners = np.repeat(np.array(numbers, np.int32), [len(p) for p in prompts])
        if self.attention is not None:
            self.attention.add(numbers, sentences)
        for rows, _ in feed(self.model, self.state, sequences, prompts, want=False):
            if self.attention is not None:
                self.attention.keep_prefix(owners[rows], self.state.attention)
        starts = [sentence.tokens[-1] for sentence in sentences]
        live = len(self.sequences)
        self.search.add(numbers, starts, [task.max_new_tokens for task in tasks])
        # a sentence without new tokens has no row
        begun = self.state.reorder(sequences, self.search.parents[live:] - live)
        self.sequences = np.concatenate([self.sequences, begun])
        self.live += len(sentences)

    def step(self) -> None:
        """One token more for every hypothesis."""
        search, state = self.search, self.state
        logits = self.model.step(search.tokens, self.sequences, state)  # (rows, vocab_size)
        for rule in self.options.rules:
            rule(logits, search)
        if self.attention is not None:
            self.attention.keep(search.sentences, state.attention)
        search.advance(logits)
        self.sequences = state.reorder(self.sequences, search.parents)

    def ended(self) -> Iterator[tuple[int, Found]]:
        """The sentences that have ended, with what was found, and makes room for others."""
        for number in self.search.ended:
            yield number, self._found(number)
            self.search.drop(number)
            self.live -= 1

    def _found(self, number: int) -> Found:
        hypotheses = self.search.hypotheses(number)
        attention = self.attention.take(number, hypotheses) if self.attention is not None else None
        tree = BeamTree(*self.search.tree(number)) if self.options.return_tree else None
        return Found(hypotheses, attention, tree)


@dataclass
class _Kept:
    """The attention weights of one sentence, each (rows, source)."""

    source: int
    prefix: list[Floats]
    steps: list[Floats] = field(default_factory=list)


class _Attention:
    """The attention weights of every row of every step, by sentence."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    def add(self, numbers: Sequence[int], sentences: Sequence[Sentence]) -> None:
        """Sentences whose rows come next."""
        for number, sentence in zip(numbers, sentences, strict=True):
            source = sentence.source_length
            self._kept[number] = _Kept(source, [np.zeros((0, source), np.float32)])

    def keep(self, owners: Ints, weights: Floats) -> None:
        """One step: the sentence of each row, in order, and weights (rows, longest source)."""
        for kept, rows in self._split(owners, weights):
            kept.steps.append(rows)

    def keep_prefix(self, owners: Ints, weights: Floats) -> None:
        """The same for rows of the prompts."""
        for kept, rows in self._split(owners, weights):
            kept.prefix.append(rows)

    def _split(self, owners: Ints, weights: Floats) -> Iterator[tuple[_Kept, Floats]]:
        first = 0
        for number, rows in itertools.groupby(owners.tolist()):
            kept, last = self._kept[number], first + len(list(rows))
            yield kept, weights[first:last, : kept.source].copy()
            first = last

    def take(self, number: int, hypotheses: list[_core.SearchHypothesis]) -> list[Floats]:
        """Of each hypothesis (prefix and new tokens, source): the weights that predicted each."""
        kept = self._kept.pop(number)
        return [np.concatenate([*kept.prefix, *_rows(kept.steps, one)]) for one in hypotheses]


def _rows(steps: list[Floats], hypothesis: _core.SearchHypothesis) -> Iterator[Floats]:
    """The hypothesis' own row of each step, (1, source), but not what predicted the end token."""
    for weights, row in zip(steps, hypothesis.rows[: len(hypothesis.tokens)], strict=False):
        yield weights[row, None]
