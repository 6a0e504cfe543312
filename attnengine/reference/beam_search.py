"""Beam search over any function that scores the next token, and exhaustive search to check it.

Each step calls three functions. ``expand`` ranks all continuations of the live hypotheses,
``keep`` turns the best into live or ended nodes, and ``is_done`` decides whether to stop. Each
node holds the index of its parent, so the nodes form a tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.rules import Rule, min_new_tokens
from attnengine.reference.softmax import log_softmax

#: Takes the tokens so far, without start token; returns logits or log-probabilities (vocab_size,).
Step = Callable[[tuple[int, ...]], Floats]


class Node(NamedTuple):
    """One token of the beam tree."""

    token: int
    parent: int  # index of the parent node; -1: the start token
    log_prob: float  # sum over the tokens from the start to this one


@dataclass(frozen=True)
class Hypothesis:
    """One ended hypothesis."""

    tokens: tuple[int, ...]  # without the end token
    log_prob: float
    score: float  # log_prob / length ** length_penalty; length counts the end token
    finish_reason: str  # "stop": an end token; "length": max_new_tokens was reached
    token_log_probs: tuple[float, ...]  # sum to log_prob; end token included after "stop"


@dataclass(frozen=True)
class BeamSearchResult:
    """The best hypotheses, best first, and all nodes of the tree in the order of creation."""

    hypotheses: list[Hypothesis]
    tree: list[Node]
    steps: int


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a search.

    ``stopping="candidates"`` stops after the step in which num_candidates hypotheses have ended.
    "optimal" stops once no live hypothesis can beat the best num_hypotheses.
    """

    end_tokens: Sequence[int]
    max_new_tokens: int  # with the end token
    min_new_tokens: int = 0  # without the end token
    length_penalty: float = 1.0
    beam_size: int = 1
    num_candidates: int | None = None  # None: beam_size
    num_hypotheses: int = 1
    stopping: str = "candidates"
    rules: Sequence[Rule] = ()  # they edit the logits of every step, after min_new_tokens

    @property
    def candidates(self) -> int:
        """How many hypotheses have to end before the candidates rule stops."""
        return self.beam_size if self.num_candidates is None else self.num_candidates

    def check(self) -> None:
        """Raise ValueError, which names the option, for a value out of range."""
        counts = {"beam_size": self.beam_size, "num_candidates": self.candidates}
        counts |= {"num_hypotheses": self.num_hypotheses, "max_new_tokens": self.max_new_tokens}
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"{name} is {count}, expected at least 1")
        if self.num_hypotheses > self.candidates:
            raise ValueError(
                f"num_hypotheses is {self.num_hypotheses}, expected at most num_candidates, "
                f"which is {self.candidates}"
            )
        if self.stopping not in ("candidates", "optimal"):
            raise ValueError(f"stopping is {self.stopping!r}, expected 'candidates' or 'optimal'")


class Continuation(NamedTuple):
    """A live hypothesis and one more token."""

    beam: int  # index into the live hypotheses
    token: int
    log_prob: float  # summed over the hypothesis and the token
    token_log_prob: float  # the token's alone


@dataclass
class Search:
    """The state of a search between two steps."""

    options: Options
    nodes: list[Node] = field(default_factory=list)
    token_log_probs: list[float] = field(default_factory=list)  # one per node
    live: list[int] = field(default_factory=lambda: [-1])  # nodes, best first; -1: the start
    ended: list[Hypothesis] = field(default_factory=list)  # the candidates
    steps: int = 0

    def add(self, continuation: Continuation) -> int:
        """Add a node for a continuation; return its index."""
        parent = self.live[continuation.beam]
        self.nodes.append(Node(continuation.token, parent, continuation.log_prob))
        self.token_log_probs.append(continuation.token_log_prob)
        return len(self.nodes) - 1

    def path(self, node: int) -> list[int]:
        """Return the nodes from the start to this one."""
        path = []
        while node >= 0:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]

    def tokens(self, node: int) -> tuple[int, ...]:
        """Return the tokens from the start to this node."""
        return tuple(self.nodes[i].token for i in self.path(node))

    def end(self, node: int, finish_reason: str) -> None:
        """Make a node a candidate, unless a better end token gave the same tokens."""
        path = self.path(node)
        tokens = self.tokens(node)
        if finish_reason == "stop":
            tokens = tokens[:-1]
        if all(tokens != hypothesis.tokens for hypothesis in self.ended):
            log_prob = self.nodes[node].log_prob
            log_probs = tuple(self.token_log_probs[i] for i in path)
            score = normalised(log_prob, len(path), self.options.length_penalty)
            self.ended.append(Hypothesis(tokens, log_prob, score, finish_reason, log_probs))


def normalised(log_prob: float, length: int, length_penalty: float) -> float:
    """log_prob / length ** length_penalty; 0 gives the sum over the tokens, 1 the mean."""
    return float(log_prob / length**length_penalty)


def next_log_probs(step: Step, tokens: tuple[int, ...], options: Options) -> Floats:
    """Return the log-probabilities of the next token, (vocab_size,).

    Rules edit the logits before the log-softmax, so the other tokens share the probability of
    forbidden tokens. Raises ValueError for logits that hold NaN.
    """
    logits = np.array(step(tokens))
    if np.isnan(logits).any():
        raise ValueError(f"the logits after tokens {tokens} hold NaN, expected numbers")
    first = [min_new_tokens(options.min_new_tokens, options.end_tokens)]
    for rule in (*first, *options.rules):
        rule(logits, tokens)
    return logits if np.isneginf(logits).all() else log_softmax(logits)


def expand(search: Search, step: Step) -> Iterable[Continuation]:
    """Yield all possible continuations, best first; ties by hypothesis, then by token."""
    rows = [next_log_probs(step, search.tokens(node), search.options) for node in search.live]
    past = [search.nodes[node].log_prob if node >= 0 else 0.0 for node in search.live]
    token_log_probs = np.stack(rows)  # (live, vocab_size)
    log_probs = token_log_probs + np.array(past, token_log_probs.dtype)[:, None]
    for index in np.argsort(-log_probs, axis=None, kind="stable"):
        beam, token = divmod(int(index), log_probs.shape[1])
        if log_probs[beam, token] == -np.inf:
            return
        total, own = float(log_probs[beam, token]), float(token_log_probs[beam, token])
        yield Continuation(beam, token, total, own)


def keep(search: Search, continuations: Iterable[Continuation]) -> None:
    """Keep the best continuations.

    End tokens among the first beam_size end their hypotheses. The best beam_size other tokens
    live on; after max_new_tokens steps these hypotheses end too.
    """
    options, live = search.options, []
    for rank, continuation in enumerate(continuations):
        if continuation.token not in options.end_tokens:
            live.append(search.add(continuation))
        elif rank < options.beam_size:
            search.end(search.add(continuation), "stop")
        if len(live) == options.beam_size:
            break
    search.live, search.steps = live, search.steps + 1
    if search.steps == options.max_new_tokens:
        for node in search.live:
            search.end(node, "length")
        search.live = []


def best_possible_score(search: Search) -> float:
    """Return an upper bound on the final score of every live hypothesis.

    A log-probability never rises. With length_penalty >= 0 the longest length gives the best
    score, with a negative penalty the shortest.
    """
    options = search.options
    best = max(search.nodes[node].log_prob for node in search.live)
    length = options.max_new_tokens if options.length_penalty >= 0 else search.steps + 1
    return normalised(best, length, options.length_penalty)


def is_done(search: Search) -> bool:
    """Whether the search may stop after this step."""
    if not search.live:
        return True
    if search.options.stopping == "candidates":
        return len(search.ended) >= search.options.candidates
    n = search.options.num_hypotheses
    scores = sorted((hypothesis.score for hypothesis in search.ended), reverse=True)
    return len(scores) >= n and scores[n - 1] >= best_possible_score(search)


def beam_search(step: Step, options: Options) -> BeamSearchResult:
    """Return the best sequences that a beam of live hypotheses finds.

    Continuations of log-probability -inf are never kept.

    Raises ValueError for an option out of range and for logits that hold NaN.
    """
    options.check()
    search = Search(options)
    while not is_done(search):
        keep(search, expand(search, step))
    best = best_first(search.ended)[: options.num_hypotheses]
    return BeamSearchResult(best, search.nodes, search.steps)


def best_first(hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Sort by descending score; hypotheses of equal score keep the order in which they ended."""
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.score)


def enumerate_all(step: Step, options: Options) -> list[Hypothesis]:
    """Return every possible sequence with its score, best first; for small vocabularies only.

    The options of the beam have no effect.
    """
    options.check()
    ended: list[Hypothesis] = []
    growing: list[tuple[tuple[int, ...], tuple[float, ...]]] = [((), ())]
    for length in range(1, options.max_new_tokens + 1):
        longer = []
        for tokens, log_probs in growing:
            for token, log_prob in possible_tokens(step, tokens, options):
                path, scores = (*tokens, token), (*log_probs, log_prob)
                total, score = sum(scores), normalised(sum(scores), length, options.length_penalty)
                if token in options.end_tokens:
                    ended.append(Hypothesis(tokens, total, score, "stop", scores))
                elif length == options.max_new_tokens:
                    ended.append(Hypothesis(path, total, score, "length", scores))
                else:
                    longer.append((path, scores))
        growing = longer
    distinct: dict[tuple[int, ...], Hypothesis] = {}
    for hypothesis in best_first(ended):
        distinct.setdefault(hypothesis.tokens, hypothesis)
    return list(distinct.values())


def possible_tokens(
    step: Step, tokens: tuple[int, ...], options: Options
) -> list[tuple[int, float]]:
    """Return the tokens that may come next, with their log-probabilities."""
    row = next_log_probs(step, tokens, options)
    return [(token, float(row[token])) for token in np.flatnonzero(row > -np.inf).tolist()]
