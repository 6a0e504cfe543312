"""The options of a search, each declared once.

Each field of `SearchOptions`, `BeamOptions` and `SamplingOptions` declares one option. The keyword
of ``translate``, ``generate`` and ``stream``, the check and the command line's option follow from
the declaration. So do the name in JSON, the row in docs/decoding.md and the C++ member or rule.

`Options` and `BeamKeywords` repeat the types for type checkers; a test compares them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, TypedDict

from attnengine.decoding.checks import (
    UINT64_MAX,
    Check,
    boolean,
    callables,
    choice,
    integer,
    number,
    or_none,
    refuse,
    token_ids,
)
from attnengine.decoding.rules import Rule

_KEY = "option"
_NO_TASK: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Option:
    """The declaration of one option."""

    name: str
    default: Any
    by_task: Mapping[str, Any]  # defaults of "translate", "transcribe", "generate", if different
    check: Check
    help: str
    compiled: bool  # whether the C++ struct of options has a member of this name
    rule: bool  # whether a value other than the default adds the C++ rule of this name


def _option(
    default: Any,
    check: Check,
    help: str,  # noqa: A002 - argparse uses this name too
    *,
    compiled: bool = False,
    rule: bool = False,
    by_task: Mapping[str, Any] = _NO_TASK,
) -> Any:
    declared = Option("", default, by_task, check, " ".join(help.split()), compiled, rule)
    return field(default=default, metadata={_KEY: declared})


def declared(kind: type[SearchOptions]) -> tuple[Option, ...]:
    """Return the options of one kind of search, in the order in which their rules run."""
    return _DECLARED[kind]


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The options that every search has."""

    num_hypotheses: int = _option(
        1, integer(1), "Maximum number of hypotheses to return per text.", compiled=True
    )
    max_new_tokens: int | None = _option(
        None,
        or_none(integer(1)),
        """Maximum number of new tokens per text, end token included. The model's number of
        positions is a further limit. None: 2 * source + 10 for translate, where source counts the
        source tokens without special tokens; 256 for generate.""",
    )
    min_new_tokens: int = _option(
        0,
        integer(0),
        "Minimum number of new tokens before the end token.",
        rule=True,
        by_task={"translate": 1},
    )
    suppress: tuple[int, ...] = _option(
        (),
        token_ids(),
        "Tokens that are never generated, in addition to the suppressed tokens of the model's"
        " config.",
        rule=True,
    )
    suppress_first: tuple[int, ...] = _option(
        (),
        token_ids(),
        "Tokens that are never generated as the first new token, in addition to those in the"
        " model's config.",
        rule=True,
    )
    max_batch_size: int = _option(
        32,
        integer(1),
        """Maximum number of texts processed at the same time, over all workers. Results do not
        depend on this option.""",
        by_task={"transcribe": 4},  # each window has 1500 encoder states
    )
    return_attention: bool = _option(
        False, boolean(), "Whether each hypothesis includes its attention weights."
    )
    return_tree: bool = _option(
        False, boolean(), "Whether each result includes the tree of all hypotheses of its search."
    )
    rules: tuple[Rule, ...] = _option(
        (),
        callables("rule(logits, rows)"),
        """Functions rule(logits, rows) that edit the logits (rows, vocab_size) of each step in
        place. rows.sentences gives each row's index among the texts that are decoded. Workers call
        rules from their own threads, one worker at a time.""",
    )

    def __post_init__(self) -> None:
        for option in declared(type(self)):
            value = option.check.read(option.name, getattr(self, option.name))
            object.__setattr__(self, option.name, value)
        if self.max_new_tokens is not None and self.min_new_tokens > self.max_new_tokens:
            refuse(
                "min_new_tokens",
                self.min_new_tokens,
                f"at most max_new_tokens, which is {self.max_new_tokens}",
            )

    @property
    def rows(self) -> int:
        """The maximum number of rows that one text has in a step."""
        return self.num_hypotheses


@dataclass(frozen=True, kw_only=True)
class BeamOptions(SearchOptions):
    """The options of beam search, which is greedy search with a beam of one."""

    beam_size: int = _option(
        1,
        integer(1),
        "Number of live hypotheses per text; 1 is greedy search.",
        compiled=True,
        by_task={"translate": 5, "transcribe": 5},
    )
    num_candidates: int | None = _option(
        None,
        or_none(integer(1)),
        """Number of ended hypotheses after which the search stops if stopping is "candidates".
        It is at least num_hypotheses. None: beam_size.""",
        compiled=True,
    )
    length_penalty: float = _option(
        1.0,
        number(),
        """Exponent of the length in the score, log_prob / length ** length_penalty. 0 compares
        sums of log-probabilities, 1 compares means.""",
        compiled=True,
    )
    stopping: str = _option(
        "candidates",
        choice("candidates", "optimal"),
        """When the search stops. "candidates": after num_candidates hypotheses have ended.
        "optimal": once no live hypothesis can beat the best num_hypotheses.""",
        compiled=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_hypotheses > self.candidates:
            refuse(
                "num_hypotheses",
                self.num_hypotheses,
                f"at most num_candidates, which is {self.candidates} (beam_size unless given)",
            )

    @property
    def candidates(self) -> int:
        """The number of ended hypotheses after which "candidates" stops the search."""
        return self.beam_size if self.num_candidates is None else self.num_candidates

    @property
    def rows(self) -> int:
        """The maximum number of rows that one text has in a step."""
        return self.beam_size


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(SearchOptions):
    """The options of random sampling, which is used when any of temperature, top_k, seed is given.

    Each hypothesis has its own random generator, which depends only on the seed and the
    hypothesis' number. Equal texts therefore get equal random numbers.
    """

    temperature: float = _option(
        1.0,
        number(above=0),
        "Divisor of the logits. Below 1, likely tokens become more likely; above 1, less likely.",
        compiled=True,
    )
    top_k: int = _option(
        0,
        integer(0),
        "Number of most likely tokens to draw from; 0: all tokens.",
        compiled=True,
    )
    seed: int | None = _option(
        None,
        or_none(integer(0, UINT64_MAX)),
        "Seed of the random generator; equal seeds draw equal tokens. None: a new random seed for"
        " each text.",
        compiled=True,
    )


class BeamKeywords(TypedDict, total=False):
    """The keywords of `BeamSearch`; `BeamOptions` explains each."""

    beam_size: int
    num_hypotheses: int
    num_candidates: int | None
    length_penalty: float
    stopping: str
    min_new_tokens: int
    suppress: Sequence[int]
    suppress_first: Sequence[int]


class Options(BeamKeywords, total=False):
    """The keywords of ``translate``, ``generate`` and ``stream``.

    `SearchOptions`, `BeamOptions` and `SamplingOptions` explain each. ``num_beams``,
    ``num_return_sequences`` and ``max_tokens`` are aliases of ``beam_size``, ``num_hypotheses``
    and ``max_new_tokens``.
    """

    temperature: float | None
    top_k: int | None
    seed: int | None
    max_new_tokens: int | None
    max_batch_size: int
    return_attention: bool
    return_tree: bool
    rules: Sequence[Rule]
    num_beams: int
    num_return_sequences: int
    max_tokens: int | None


_DECLARED = {
    kind: tuple(dataclasses.replace(one.metadata[_KEY], name=one.name) for one in fields(kind))
    for kind in (SearchOptions, BeamOptions, SamplingOptions)
}
for _kind, _options in _DECLARED.items():  # help(BeamOptions) explains each
    _lines = [f"    {one.name}\n        {one.help}" for one in _options]
    _kind.__doc__ = "\n".join([str(_kind.__doc__).rstrip(), "", *_lines, ""])
