from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from attnengine import _core
from attnengine.decoding.compiled_options import compile_options
from attnengine.decoding.keywords import ALIASES, check_stream, parse
from attnengine.decoding.options import (
    BeamKeywords,
    BeamOptions,
    Options,
    SamplingOptions,
    SearchOptions,
    declared,
)
from attnengine.errors import InvalidArgument
from attnengine.reference import rules
from tools import option_tables


def translate_options(**given: Any) -> Any:
    return parse(given, "translate")


def test_defaults_are_those_of_the_task() -> None:
    options = translate_options()
    assert isinstance(options, BeamOptions)
    assert (options.beam_size, options.candidates, options.num_hypotheses) == (5, 5, 1)
    assert (options.length_penalty, options.stopping) == (1.0, "candidates")
    assert (options.max_new_tokens, options.min_new_tokens) == (None, 1)
    assert parse({}, "generate").min_new_tokens == 0


KINDS = {BeamOptions: _core.BeamSearchOptions, SamplingOptions: _core.SamplingOptions}


def every_option() -> dict[str, Any]:
    return {option.name: option for kind in KINDS for option in declared(kind)}


def test_the_typed_keywords_are_the_options() -> None:
    assert set(Options.__annotations__) == every_option().keys() | ALIASES.keys()
    searched = {option.name for option in declared(BeamOptions) if option.compiled or option.rule}
    assert set(BeamKeywords.__annotations__) == searched


@pytest.mark.parametrize("kind", KINDS)
def test_the_compiled_members_are_the_options(kind: type[SearchOptions]) -> None:
    members = {n for n, member in vars(KINDS[kind]).items() if isinstance(member, property)}
    assert members == {o.name for o in declared(kind) if o.compiled} | {"rules"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_arrives_in_the_member_of_its_name(kind: type[SearchOptions]) -> None:
    values = {
        "num_hypotheses": 2,
        "beam_size": 3,
        "num_candidates": 4,
        "length_penalty": 0.5,
        "stopping": "optimal",
        "temperature": 0.25,
        "top_k": 6,
        "seed": 7,
    }
    given = {o.name: values[o.name] for o in declared(kind) if o.compiled}
    compiled = compile_options(kind(**given), [0]).search
    assert {name: getattr(compiled, name) for name in given} == given


def test_the_rules_are_those_of_options_and_each_has_a_twin() -> None:
    made = {option.name for option in every_option().values() if option.rule}
    assert {*_core.rule_names()} == made | {"end_tokens"}  # the model's config gives the end tokens
    assert all(hasattr(rules, name) for name in made)


def test_an_option_makes_its_rule_unless_it_has_its_default() -> None:
    def count(**given: Any) -> int:
        compiled: Any = compile_options(BeamOptions(**given), [0]).search
        return len(compiled.rules)

    assert count() == count(min_new_tokens=0, suppress=[]) == 1
    assert count(min_new_tokens=1, suppress=[2], suppress_first=[3]) == 4


def test_the_page_has_the_declared_tables() -> None:
    page = option_tables.PAGE.read_text(encoding="utf-8")
    assert page == option_tables.written(page), "run python -m tools.option_tables"


def test_the_docstrings_explain_every_option() -> None:
    for kind in KINDS:
        assert all(option.help in str(kind.__doc__) for option in declared(kind))


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("num_beams", "beam_size"),
        ("num_return_sequences", "num_hypotheses"),
        ("max_tokens", "max_new_tokens"),
    ],
)
def test_accepted_spellings(spelling: str, name: str) -> None:
    assert getattr(translate_options(**{spelling: 3}), name) == 3
    with pytest.raises(InvalidArgument, match=f"{name} is given twice, "):
        translate_options(**{spelling: 3, name: 3})


def test_numpy_numbers_become_plain_ones() -> None:
    options = translate_options(beam_size=np.int64(3), length_penalty=np.float32(0.5))
    assert type(options.beam_size) is int
    assert type(options.length_penalty) is float


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beam_size", 0),
        ("beam_size", -1),
        ("beam_size", True),
        ("beam_size", 2.0),
        ("beam_size", "5"),
        ("beam_size", None),
        ("beam_size", 2**31),
        ("num_hypotheses", 0),
        ("num_candidates", 0),
        ("length_penalty", math.nan),
        ("length_penalty", math.inf),
        ("length_penalty", True),
        ("length_penalty", "1"),
        ("stopping", "early"),
        ("stopping", ["optimal"]),
        ("temperature", 0),
        ("temperature", -0.5),
        ("temperature", math.nan),
        ("top_k", -1),
        ("top_k", 1.5),
        ("seed", -1),
        ("seed", 2**64),
        ("max_new_tokens", 0),
        ("max_new_tokens", 10.0),
        ("min_new_tokens", -1),
        ("max_batch_size", 0),
        ("return_attention", 1),
        ("return_tree", "yes"),
        ("rules", print),
        ("rules", [3]),
        ("suppress", 3),
        ("suppress", np.array(3)),
        ("temperature", 10**400),
        ("suppress", [-1]),
        ("suppress_first", ["a"]),
        ("suppress_first", [True]),
    ],
)
def test_a_value_that_does_not_fit_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        translate_options(**{name: value})
    assert str(caught.value).startswith(f"{name} is {value!r}, expected ")


@pytest.mark.parametrize(
    ("spelling", "nearest"),
    [
        ("beamsize", "beam_size"),
        ("num_hypothesis", "num_hypotheses"),
        ("temprature", "temperature"),
    ],
)
def test_an_unknown_option_suggests_the_nearest(spelling: str, nearest: str) -> None:
    expected = f"unknown option {spelling!r}, did you mean {nearest!r}"
    with pytest.raises(InvalidArgument, match=expected):
        translate_options(**{spelling: 1})


def test_an_option_like_no_other_lists_them_all() -> None:
    with pytest.raises(InvalidArgument, match="unknown option 'zzz'; the options are beam_size,"):
        translate_options(zzz=1)


def test_more_hypotheses_than_candidates() -> None:
    with pytest.raises(InvalidArgument, match="num_hypotheses is 6, expected at most num_cand"):
        translate_options(num_hypotheses=6)
    assert translate_options(num_hypotheses=6, num_candidates=6).candidates == 6
    with pytest.raises(InvalidArgument, match=r"num_hypotheses is 3, .* which is 2"):
        translate_options(num_hypotheses=3, num_candidates=2)


def test_minimum_above_maximum() -> None:
    with pytest.raises(
        InvalidArgument, match=r"min_new_tokens is 9, .* max_new_tokens, which is 8"
    ):
        translate_options(min_new_tokens=9, max_new_tokens=8)


@pytest.mark.parametrize("given", [{"temperature": 0.8}, {"top_k": 3}, {"seed": 0}])
def test_sampling_is_asked_for_by_its_options(given: dict[str, Any]) -> None:
    options = translate_options(**given, num_hypotheses=9)
    assert isinstance(options, SamplingOptions)
    assert options.num_hypotheses == 9
    assert isinstance(translate_options(**dict.fromkeys(given)), BeamOptions)


def test_sampling_has_no_beam() -> None:
    with pytest.raises(InvalidArgument, match=r"beam_size is 5, .* seed selects sampling"):
        translate_options(beam_size=5, seed=1)
    with pytest.raises(InvalidArgument, match=r"stopping is 'optimal', .* sampling"):
        translate_options(stopping="optimal", temperature=1)
    assert isinstance(translate_options(beam_size=1, seed=1), SamplingOptions)


@pytest.mark.parametrize(
    "given", [{"num_hypotheses": 2}, {"return_attention": True}, {"return_tree": True}]
)
def test_a_stream_is_text_only(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=f"{next(iter(given))} is .* stream"):
        check_stream(translate_options(**given))
