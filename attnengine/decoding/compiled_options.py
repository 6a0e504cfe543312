"""The conversion of a search's options from Python to the C++ search."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass

from attnengine import _core
from attnengine.decoding.options import BeamOptions, SamplingOptions, SearchOptions, declared

_KINDS = {BeamOptions: _core.BeamSearchOptions, SamplingOptions: _core.SamplingOptions}


@dataclass(frozen=True)
class CompiledOptions:
    """Options in Python and their C++ counterpart; many sentences share one pair."""

    options: SearchOptions
    search: _core.SearchOptions


def compile_options(options: SearchOptions, end_tokens: Iterable[int]) -> CompiledOptions:
    """Compile options for sentences that end with any of ``end_tokens``."""
    ends = [operator.index(token) for token in end_tokens]
    members, rules = {}, [_core.make_rule("end_tokens", ends, ends)]
    for option in declared(type(options)):
        value = getattr(options, option.name)
        if option.compiled:
            members[option.name] = value
        if option.rule and value != option.default:
            rules.append(_core.make_rule(option.name, value, ends))
    return CompiledOptions(options, _KINDS[type(options)](rules=rules, **members))
