"""The options of a search, each declared once.

A field of `SearchOptions`, `BeamOptions` or `SamplingOptions` is an option. Its declaration gives
the keyword of ``translate``, ``generate`` and ``stream``, the check, the option of the command line
with its help, the name in JSON, the row of docs/decoding.md, and the C++ member or rule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

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
    by_task: Mapping[str, Any]  # other defaults: of "translate", "transcribe" or "generate"
    check: Check
    help: str
    compiled: bool  # a member of the C++ struct of options, under the same name
    rule: bool  # makes the C++ rule of the same name where its value is not the default


def _option(
    default: Any,
    check: Check,
    help: str,  # noqa: A002 - what it is called everywhere
    *,
    compiled: bool = False,
    rule: bool = False,
    by_task: Mapping[str, Any] = _NO_TASK,
) -> Any:
    declared = Option("", default, by_task, check, " ".join(help.split()), compiled, rule)
    return field(default=default, metadata={_KEY: declared})


def declared(kind: type[SearchOptions]) -> tuple[Option, ...]:
    """The options of one kind of search, in order; rules edit logits in this order too."""
    return _DECLARED[kind]


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """What every search has."""

    num_hypotheses: int = _option(
        1, integer(1), "Results to return for each text, at most.", compiled=True
    )
    max_new_tokens: int | None = _option(
        None,
        or_none(integer(1)),
        """New tokens for each text, at most; the end token counts. None: 2 * source + 10 for
        translate, where the source counts without added tokens; 256 for generate. Never more than
        the model has positions.""",
    )
    min_new_tokens: int = _option(
        0,
        integer(0),
        "New tokens before the first end token, at least.",
        rule=True,
        by_task={"translate": 1},
    )
    suppress: tuple[int, ...] = _option(
        (),
        token_ids(),
        "Tokens that are never chosen, beside those that the model's config names.",
        rule=True,
    )
    suppress_first: tuple[int, ...] = _option(
        (),
        token_ids(),
        "Tokens that are never the first new token, beside those that the model's config names.",
        rule=True,
    )
    max_batch_size: int = _option(
        32,
        integer(1),
        """Texts that are decoded together, by all workers. When some end, others take their
        places. Results do not depend on it.""",
    )
    return_attention: bool = _option(
        False, boolean(), "Whether each hypothesis carries its attention weights."
    )
    return_tree: bool = _option(
        False, boolean(), "Whether each result carries the tree of all its hypotheses."
    )
    rules: tuple[Rule, ...] = _option(
        (),
        callables("rule(logits, rows)"),
        """Functions rule(logits, rows) that edit the logits (rows, vocab_size) of each step in
        place; rows.sentences numbers the texts of the call. One worker at a time calls them, from
        its own thread.""",
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
        """Rows of a step that one text takes, at most."""
        return self.num_hypotheses


@dataclass(frozen=True, kw_only=True)
class BeamOptions(SearchOptions):
    """Beam search; greedy with a beam of one."""

    beam_size: int = _option(
        1,
        integer(1),
        "Live hypotheses of a text; 1 is greedy search.",
        compiled=True,
        by_task={"translate": 5, "transcribe": 5},
    )
    num_candidates: int | None = _option(
        None,
        or_none(integer(1)),
        """Finished hypotheses after which "candidates" stops; None: beam_size. At least
        num_hypotheses.""",
        compiled=True,
    )
    length_penalty: float = _option(
        1.0,
        number(),
        """The power of the length in the score, log_prob / length ** length_penalty: 0 compares
        sums, 1 compares means.""",
        compiled=True,
    )
    stopping: str = _option(
        "candidates",
        choice("candidates", "optimal"),
        """When to stop: "candidates" after num_candidates have ended, "optimal" once nothing
        better than the best num_hypotheses can come.""",
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
        """After how many candidates the search may stop."""
        return self.beam_size if self.num_candidates is None else self.num_candidates

    @property
    def rows(self) -> int:
        """Rows of a step that one text takes, at most."""
        return self.beam_size


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(SearchOptions):
    """Random continuations, chosen when one of these options is given.

    Each hypothesis draws from a generator that depends on seed and hypothesis alone: equal texts
    get equal draws.
    """

    temperature: float = _option(
        1.0,
        number(above=0),
        "Divides the logits: below 1 likely tokens become likelier, above 1 less likely.",
        compiled=True,
    )
    top_k: int = _option(
        0, integer(0), "Draw among the k most likely tokens; 0: among all.", compiled=True
    )
    seed: int | None = _option(
        None,
        or_none(integer(0, UINT64_MAX)),
        "Equal seeds draw equal tokens; None: a fresh one for each text.",
        compiled=True,
    )


_DECLARED = {
    kind: tuple(dataclasses.replace(one.metadata[_KEY], name=one.name) for one in fields(kind))
    for kind in (SearchOptions, BeamOptions, SamplingOptions)
}
for _kind, _options in _DECLARED.items():  # help(BeamOptions) explains each
    _lines = [f"    {one.name}\n        {one.help}" for one in _options]
    _kind.__doc__ = "\n".join([str(_kind.__doc__).rstrip(), "", *_lines, ""])
