"""From the keywords of a call to the options of its search."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from attnengine.decoding.checks import refuse
from attnengine.decoding.options import BeamOptions, SamplingOptions, SearchOptions, declared
from attnengine.decoding.rules import Rule
from attnengine.errors import InvalidArgument

# Other spellings, of transformers and vLLM.
ALIASES = {
    "num_beams": "beam_size",
    "num_return_sequences": "num_hypotheses",
    "max_tokens": "max_new_tokens",
}


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

    `SearchOptions`, `BeamOptions` and `SamplingOptions` explain each; the last three are other
    spellings of ``beam_size``, ``num_hypotheses`` and ``max_new_tokens``.
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


_COMMON = {one.name for one in declared(SearchOptions)}
_BEAM = {one.name for one in declared(BeamOptions)} - _COMMON
_SAMPLING = {one.name for one in declared(SamplingOptions)} - _COMMON


def parse(given: Mapping[str, Any], task: str, others: Sequence[str] = ()) -> SearchOptions:
    """The options that a caller ``given`` by name, over the defaults of the ``task``.

    ``task`` is "translate", "transcribe" or "generate". ``others`` are options of the caller's
    own, which are only suggested.

    Sampling is chosen by ``temperature``, ``top_k`` or ``seed`` (None: not given), beam search
    otherwise. Raises InvalidArgument for a name that does not exist, suggesting the nearest, and
    for a value that does not fit.
    """
    options = _by_name(given, others)
    for name in _SAMPLING:
        if name in options and options[name] is None:
            del options[name]
    drawn = sorted(_SAMPLING & options.keys())
    if not drawn:
        return BeamOptions(**{**_defaults(BeamOptions, task), **options})
    if options.get("beam_size") == 1:
        del options["beam_size"]
    for name in sorted(_BEAM & options.keys()):
        refuse(name, options[name], f"nothing: {drawn[0]} asks for sampling, which has no {name}")
    return SamplingOptions(**{**_defaults(SamplingOptions, task), **options})


def _defaults(kind: type[SearchOptions], task: str) -> dict[str, Any]:
    return {one.name: one.by_task[task] for one in declared(kind) if task in one.by_task}


def check_stream(options: SearchOptions) -> None:
    """Raise InvalidArgument unless a stream of text can honour the options."""
    if options.num_hypotheses > 1:
        refuse("num_hypotheses", options.num_hypotheses, "1 in a stream")
    for name in ("return_attention", "return_tree"):
        if getattr(options, name):
            refuse(name, True, "False in a stream, which yields text only")


def _by_name(given: Mapping[str, Any], others: Sequence[str]) -> dict[str, Any]:
    """The options under their own names, without aliases."""
    options: dict[str, Any] = {}
    for spelling, value in given.items():
        name = ALIASES.get(spelling, spelling)
        if name not in _COMMON | _BEAM | _SAMPLING:
            raise InvalidArgument(f"unknown option {spelling!r}{suggestion(spelling, others)}")
        if name in options:
            raise InvalidArgument(f"{name} is given twice, as {spelling} too")
        options[name] = value
    return options


def suggestion(spelling: str, others: Sequence[str] = ()) -> str:
    """The option nearest to a misspelt one, as a question; all options when none is near."""
    names = sorted({*_COMMON, *_BEAM, *_SAMPLING, *ALIASES, *others})
    nearest = difflib.get_close_matches(spelling, names, n=1)
    return f", did you mean {nearest[0]!r}?" if nearest else f"; the options are {', '.join(names)}"
