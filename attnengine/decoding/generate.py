"""Search for continuations: the loop over steps, for many sentences together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.batches import Ints, Sentence, batches, feed, start
from attnengine.decoding.options import BeamOptions, Rule, SamplingOptions, SearchOptions
from attnengine.decoding.results import BeamTree

Floats = NDArray[np.float32]


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
) -> list[Found]:
    """The best continuations of every task, in the order of the tasks."""
    found: dict[int, Found] = {}
    search_options = _search_options(options, end_tokens)
    for batch in batches([task.sentence for task in tasks], options.max_batch_size):
        run = _Run(model, [tasks[index] for index in batch], options, search_options)
        for _ in run.steps():
            pass
        found.update((index, run.found(place)) for place, index in enumerate(batch))
    return [found[index] for index in range(len(tasks))]


def stream(
    model: _core.Decoder, task: Task, options: SearchOptions, end_tokens: list[int]
) -> Iterator[list[int]]:
    """After each step, the new tokens so far that every possible result begins with.

    The last list holds all tokens of the best hypothesis. Closing the iterator ends the search.
    """
    run = _Run(model, [task], options, _search_options(options, end_tokens))
    for _ in run.steps():
        yield run.search.stable(0)


def suppress(tokens: Sequence[int]) -> Rule:
    """A rule by which these tokens are never chosen."""
    forbidden = np.array(tokens, np.int64)

    def rule(logits: Floats, search: _core.Search) -> None:  # (rows, vocab_size)
        logits[:, forbidden] = -np.inf

    return rule


def suppress_first(tokens: Sequence[int]) -> Rule:
    """A rule by which these tokens are never the first of a text; for one search after another."""
    forbid = suppress(tokens)
    begun: _core.Search | None = None

    def rule(logits: Floats, search: _core.Search) -> None:  # (rows, vocab_size)
        nonlocal begun
        if search is not begun:
            begun = search
            forbid(logits, search)

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
    """One batch on its way: the state that carries it and the search that steers it."""

    def __init__(
        self,
        model: _core.Decoder,
        tasks: list[Task],
        options: SearchOptions,
        search_options: _core.BeamSearchOptions | _core.SamplingOptions,
    ) -> None:
        self.model, self.options = model, options
        self.sentences = [task.sentence for task in tasks]
        self.state = model.new_state()
        self.attention = _Attention(self.sentences) if options.return_attention else None
        self.state.keep_attention = options.return_attention
        self.search = _core.Search(
            search_options,
            np.array([sentence.tokens[-1] for sentence in self.sentences], np.int32),
            np.array([task.max_new_tokens for task in tasks], np.int32),
            model.vocab_size,
            model.num_threads,
        )

    def steps(self) -> Iterator[None]:
        """Runs to the end, handing control back after each step."""
        model, search, state = self.model, self.search, self.state
        sequences = self._prefill()  # (rows,)
        while not search.done:
            logits = model.step(search.tokens, sequences, state)  # (rows, vocab_size)
            for rule in self.options.rules:
                rule(logits, search)
            if self.attention is not None:
                self.attention.keep(search.sentences, state.attention)
            search.advance(logits)
            sequences = state.reorder(sequences, search.parents)
            yield

    def _prefill(self) -> Ints:
        """Takes every prompt up to its last token, which is the search's first: (sentences,)."""
        sequences = start(self.model, self.state, self.sentences)
        prompts = [sentence.tokens[:-1] for sentence in self.sentences]
        owners = np.repeat(np.arange(len(prompts), dtype=np.int32), [len(p) for p in prompts])
        for rows, _ in feed(self.model, self.state, sequences, prompts, want=False):
            if self.attention is not None:
                self.attention.keep_prefix(owners[rows], self.state.attention)
        return sequences

    def found(self, place: int) -> Found:
        """What the search found for the sentence at ``place`` in the batch."""
        hypotheses = self.search.hypotheses(place)
        attention = None
        if self.attention is not None:
            attention = [self.attention.of(place, hypothesis) for hypothesis in hypotheses]
        tree = BeamTree(*self.search.tree(place)) if self.options.return_tree else None
        return Found(hypotheses, attention, tree)


@dataclass
class _Attention:
    """The attention weights of every row of every step of a batch."""

    sentences: list[Sentence]
    prefixes: list[tuple[Ints, Floats]] = field(default_factory=list)
    steps: list[tuple[Ints, Floats]] = field(default_factory=list)  # sentences (rows,), weights

    def keep(self, owners: Ints, weights: Floats) -> None:
        """One step: the sentence of each row, in order, and weights (rows, longest source)."""
        self.steps.append((owners.copy(), weights.copy()))

    def keep_prefix(self, owners: Ints, weights: Floats) -> None:
        """The same for rows of the prompts."""
        self.prefixes.append((owners.copy(), weights.copy()))

    def of(self, place: int, hypothesis: _core.SearchHypothesis) -> Floats:
        """(prefix and new tokens, source): the weights that predicted each token."""
        source = len(self.sentences[place].source or ())
        picked = [np.zeros((0, source), np.float32)]
        for owners, weights in self.prefixes:
            if place in owners:  # else a step may be narrower than this source
                picked.append(weights[owners == place, :source])
        for row, (owners, weights) in zip(hypothesis.rows, self.steps, strict=False):
            first = int(np.searchsorted(owners, place))
            picked.append(weights[first + row, None, :source])
        if hypothesis.finish_reason == "stop":
            picked.pop()  # what predicted the end token
        return np.concatenate(picked)
