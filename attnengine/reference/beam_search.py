"""Beam search over any function that scores the next token, and brute force to check it.

Three functions take turns: ``expand`` ranks all continuations of the live hypotheses,
``keep`` turns the best into nodes that live on or have ended, ``is_done`` decides whether
to stop. Nodes point at their parents, so all nodes ever kept are the picture of the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.rules import Rule, min_new_tokens
from attnengine.reference.softmax import log_softmax

#: From the tokens so far (without start token) to logits or log-probabilities (vocab_size,).
Step = Callable[[tuple[int, ...]], Floats]


class Node(NamedTuple):
    """One token of the beam tree."""

    token: int
    parent: int  # index of the node before it, -1: the start
    log_prob: float  # of all tokens from the start to this one


@dataclass(frozen=True)
class Hypothesis:
    """One finished sequence."""

    tokens: tuple[int, ...]  # without the end token
    log_prob: float
    score: float  # log_prob / length ** length_penalty; length counts the end token
    finish_reason: str  # "stop": the end token came; "length": max_new_tokens did
    token_log_probs: tuple[float, ...]  # sum to log_prob; with the end token's after "stop"


@dataclass(frozen=True)
class BeamSearchResult:
    """The best hypotheses, best first, and every node of the tree in the order of creation."""

    hypotheses: list[Hypothesis]
    tree: list[Node]
    steps: int


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a search may do; see ``beam_search``."""

    end_tokens: Sequence[int]
    max_new_tokens: int
    min_new_tokens: int = 0
    length_penalty: float = 1.0
    beam_size: int = 1
    num_candidates: int = 1
    num_hypotheses: int = 1
    stopping: str = "candidates"
    rules: Sequence[Rule] = ()

    def check(self) -> None:
        """Raise ValueError, naming the option, unless every option makes sense."""
        for name in ("beam_size", "num_candidates", "num_hypotheses", "max_new_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.num_hypotheses > self.num_candidates:
            raise ValueError(
                f"num_hypotheses is {self.num_hypotheses}, expected at most "
                f"num_candidates = {self.num_candidates}"
            )
        if self.stopping not in ("candidates", "optimal"):
            raise ValueError(f"stopping is {self.stopping!r}, expected 'candidates' or 'optimal'")


class Continuation(NamedTuple):
    """A live hypothesis and one more token."""

    beam: int  # index into the live hypotheses
    token: int
    log_prob: float  # of the whole
    token_log_prob: float  # of the token alone


@dataclass
class Search:
    """What a search knows between two steps."""

    options: Options
    nodes: list[Node] = field(default_factory=list)
    token_log_probs: list[float] = field(default_factory=list)  # of each node's token
    live: list[int] = field(default_factory=lambda: [-1])  # nodes, best first; -1: the start
    ended: list[Hypothesis] = field(default_factory=list)  # the candidates
    steps: int = 0

    def add(self, continuation: Continuation) -> int:
        """Make a node of a continuation; returns its index."""
        parent = self.live[continuation.beam]
        self.nodes.append(Node(continuation.token, parent, continuation.log_prob))
        self.token_log_probs.append(continuation.token_log_prob)
        return len(self.nodes) - 1

    def path(self, node: int) -> list[int]:
        """Nodes from the start to this one."""
        path = []
        while node >= 0:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]

    def tokens(self, node: int) -> tuple[int, ...]:
        """Tokens from the start to this node."""
        return tuple(self.nodes[i].token for i in self.path(node))

    def end(self, node: int, finish_reason: str) -> None:
        """Make a candidate of a node, unless a better end token gave the same tokens."""
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
    """log_prob / length ** length_penalty: 0 sums, 1 takes the mean over the tokens."""
    return float(log_prob / length**length_penalty)


def next_log_probs(step: Step, tokens: tuple[int, ...], options: Options) -> Floats:
    """Log-probabilities (vocab_size,) of the next token.

    Rules edit the logits before, so that the other tokens share what they forbid.
    """
    logits = np.array(step(tokens))
    if np.isnan(logits).any():
        raise ValueError(f"logits after tokens {tokens} hold NaN")
    first = [min_new_tokens(options.min_new_tokens, options.end_tokens)]
    for rule in (*first, *options.rules):
        rule(logits, tokens)
    return logits if np.isneginf(logits).all() else log_softmax(logits)


def expand(search: Search, step: Step) -> Iterable[Continuation]:
    """All possible continuations, best first; ties by beam, then by token."""
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
    """End tokens among the first beam_size end; the best beam_size others live on.

    At max_new_tokens those end too.
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
    """No live hypothesis can end with a score above this.

    Log-probabilities only fall. With length_penalty >= 0 the longest end helps most, with a
    negative one the nearest.
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
        return len(search.ended) >= search.options.num_candidates
    n = search.options.num_hypotheses
    scores = sorted((hypothesis.score for hypothesis in search.ended), reverse=True)
    return len(scores) >= n and scores[n - 1] >= best_possible_score(search)


def beam_search(
    step: Step,
    *,
    end_tokens: Sequence[int],
    max_new_tokens: int,
    beam_size: int = 1,
    min_new_tokens: int = 0,
    length_penalty: float = 1.0,
    num_candidates: int | None = None,
    num_hypotheses: int = 1,
    stopping: str = "candidates",
    rules: Sequence[Rule] = (),
) -> BeamSearchResult:
    """The num_hypotheses best sequences that a beam of beam_size hypotheses finds.

    stopping "candidates" stops after the step in which num_candidates (None: beam_size)
    hypotheses have ended; "optimal" once the num_hypotheses best of them cannot be beaten
    any more. max_new_tokens counts the end token, min_new_tokens does not. ``rules`` edit the
    logits of every step, after min_new_tokens. Impossible continuations (log-probability -inf)
    are never kept.

    Raises ValueError for an option out of range or logits that hold NaN.
    """
    options = Options(
        end_tokens=end_tokens,
        max_new_tokens=max_new_tokens,
        min_new_tokens=min_new_tokens,
        length_penalty=length_penalty,
        beam_size=beam_size,
        num_candidates=beam_size if num_candidates is None else num_candidates,
        num_hypotheses=num_hypotheses,
        stopping=stopping,
        rules=rules,
    )
    options.check()
    search = Search(options)
    while not is_done(search):
        keep(search, expand(search, step))
    return BeamSearchResult(best_first(search.ended)[:num_hypotheses], search.nodes, search.steps)


def best_first(hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """By falling score; equal scores keep the order in which they ended."""
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.score)


def enumerate_all(
    step: Step,
    *,
    end_tokens: Sequence[int],
    max_new_tokens: int,
    min_new_tokens: int = 0,
    length_penalty: float = 1.0,
) -> list[Hypothesis]:
    """Every possible sequence with its score, best first: for small vocabularies only."""
    options = Options(
        end_tokens=end_tokens,
        max_new_tokens=max_new_tokens,
        min_new_tokens=min_new_tokens,
        length_penalty=length_penalty,
    )
    options.check()
    ended: list[Hypothesis] = []
    growing: list[tuple[tuple[int, ...], tuple[float, ...]]] = [((), ())]
    for length in range(1, max_new_tokens + 1):
        longer = []
        for tokens, log_probs in growing:
            for token, log_prob in possible_tokens(step, tokens, options):
                path, scores = (*tokens, token), (*log_probs, log_prob)
                total, score = sum(scores), normalised(sum(scores), length, length_penalty)
                if token in end_tokens:
                    ended.append(Hypothesis(tokens, total, score, "stop", scores))
                elif length == max_new_tokens:
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
    """Tokens that may come next, with their log-probabilities."""
    row = next_log_probs(step, tokens, options)
    return [(token, float(row[token])) for token in np.flatnonzero(row > -np.inf).tolist()]
