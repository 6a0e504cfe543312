"""The loop over steps: a search chooses what a session's rows continue with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.kept_attention import KeptAttention
from attnengine.decoding.options import BeamOptions, Rule, SamplingOptions, SearchOptions
from attnengine.decoding.results import BeamTree
from attnengine.decoding.sentences import Sentence
from attnengine.decoding.session import Session

Floats = NDArray[np.float32]

_REFILL = 8  # refill when 1/8 of the batch has finished


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


class Batch:
    """Sentences that are decoded together: the session that carries them, and their search."""

    def __init__(
        self, model: _core.Decoder, options: SearchOptions, end_tokens: Sequence[int]
    ) -> None:
        self.options = options
        self.session = Session(model, keep_attention=options.return_attention)
        self.attention = KeptAttention() if options.return_attention else None
        self.live = 0  # sentences
        searched = search_options(options, end_tokens)
        self.search = _core.Search(searched, [], [], model.vocab_size, model.num_threads)

    def free(self, batch_size: int) -> int:
        """How many sentences to add; 0 while few of the batch have finished."""
        free = batch_size - self.live
        return free if _REFILL * free >= batch_size else 0

    def add(self, numbers: Sequence[int], tasks: Sequence[Task]) -> None:
        """Feed every prompt up to its last token, which is the search's first."""
        sentences = [task.sentence for task in tasks]
        sequences = self.session.add(sentences)  # (sentences,)
        prompts = [sentence.tokens[:-1] for sentence in sentences]
        owners = np.repeat(np.array(numbers, np.int32), [len(p) for p in prompts])
        if self.attention is not None:
            self.attention.add(numbers, sentences)
        for rows in self.session.feed(sequences, prompts):
            if self.attention is not None:
                self.attention.keep_prefix(owners[rows], self.session.attention)
        starts = [sentence.tokens[-1] for sentence in sentences]
        rows_before = len(self.session.sequences)
        self.search.add(numbers, starts, [task.max_new_tokens for task in tasks])
        # a sentence without new tokens has no row
        self.session.join(sequences, self.search.parents[rows_before:] - rows_before)
        self.live += len(sentences)

    def step(self) -> None:
        """One token more for every hypothesis."""
        search = self.search
        logits = self.session.step(search.tokens)  # (rows, vocab_size)
        for rule in self.options.rules:
            rule(logits, search)
        if self.attention is not None:
            self.attention.keep(search.sentences, self.session.attention)
        search.advance(logits)
        self.session.reorder(search.parents)

    def ended(self) -> Iterator[tuple[int, Found]]:
        """The sentences that have ended, with what was found; each is dropped."""
        for number in self.search.ended:
            yield number, self._found(number)
            self.search.drop(number)
            self.live -= 1

    def _found(self, number: int) -> Found:
        hypotheses = self.search.hypotheses(number)
        attention = self.attention.take(number, hypotheses) if self.attention is not None else None
        tree = BeamTree(*self.search.tree(number)) if self.options.return_tree else None
        return Found(hypotheses, attention, tree)


def stream(
    model: _core.Decoder, task: Task, options: SearchOptions, end_tokens: Sequence[int]
) -> Iterator[list[int]]:
    """After each step, the new tokens so far that every possible result begins with.

    The last list holds all tokens of the best hypothesis. Closing the iterator ends the search.
    """
    batch = Batch(model, options, end_tokens)
    batch.add([0], [task])
    while not batch.search.done:
        batch.step()
        yield batch.search.stable(0)


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


def search_options(
    options: SearchOptions, end_tokens: Sequence[int]
) -> _core.BeamSearchOptions | _core.SamplingOptions:
    """The options as the search takes them."""
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
