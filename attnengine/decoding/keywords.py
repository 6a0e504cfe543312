"""The conversion of a call's keywords into the options of its search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attnengine.decoding.checks import refuse
from attnengine.decoding.options import BeamOptions, SamplingOptions, SearchOptions, declared
from attnengine.errors import InvalidArgument, did_you_mean

# Names of the same options in Hugging Face transformers and vLLM.
ALIASES = {
    "num_beams": "beam_size",
    "num_return_sequences": "num_hypotheses",
    "max_tokens": "max_new_tokens",
}


_COMMON = {one.name for one in declared(SearchOptions)}
_BEAM = {one.name for one in declared(BeamOptions)} - _COMMON
_SAMPLING = {one.name for one in declared(SamplingOptions)} - _COMMON


def parse(given: Mapping[str, Any], task: str, others: Sequence[str] = ()) -> SearchOptions:
    """Return the options ``given`` by name; the ``task`` has defaults for the others.

    ``task`` is "translate", "transcribe" or "generate". ``others`` are further keywords of the
    caller; a message about a misspelt option may suggest them.

    A value other than None for ``temperature``, ``top_k`` or ``seed`` selects sampling; without
    one the search is beam search. Raises InvalidArgument for an unknown name, with the nearest
    known name, and for a value that is not allowed.
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
        refuse(name, options[name], f"nothing: {drawn[0]} selects sampling, which has no {name}")
    return SamplingOptions(**{**_defaults(SamplingOptions, task), **options})


def _defaults(kind: type[SearchOptions], task: str) -> dict[str, Any]:
    return {one.name: one.by_task[task] for one in declared(kind) if task in one.by_task}


def check_stream(options: SearchOptions) -> None:
    """Raise InvalidArgument for options that a stream of text does not support."""
    if options.num_hypotheses > 1:
        refuse("num_hypotheses", options.num_hypotheses, "1 in a stream")
    for name in ("return_attention", "return_tree"):
        if getattr(options, name):
            refuse(name, True, "False in a stream, which yields text only")


def _by_name(given: Mapping[str, Any], others: Sequence[str]) -> dict[str, Any]:
    """Return the options with aliases replaced by the names that they stand for."""
    options: dict[str, Any] = {}
    for spelling, value in given.items():
        name = ALIASES.get(spelling, spelling)
        if name not in _COMMON | _BEAM | _SAMPLING:
            raise unknown(spelling, {*_COMMON, *_BEAM, *_SAMPLING, *ALIASES, *others})
        if name in options:
            raise InvalidArgument(
                f"{name} is given twice, the second time as {spelling}, expected one of them"
            )
        options[name] = value
    return options


def unknown(spelling: str, names: Iterable[str]) -> InvalidArgument:
    """Return the error for an unknown option, with the nearest of ``names`` or all of them."""
    more = did_you_mean(spelling, names) or f"; the options are {', '.join(sorted(names))}"
    return InvalidArgument(f"unknown option {spelling!r}{more}")
