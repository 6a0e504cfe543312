"""The options of a search: their names, their values, and the one place that checks them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import InvalidArgument

if TYPE_CHECKING:
    from attnengine import _core

Rule = Callable[[NDArray[np.float32], "_core.Search"], object]
"""Edits the logits (rows, vocab_size) of a step in place, before the search takes them."""

ALIASES = {
    "num_beams": "beam_size",
    "num_return_sequences": "num_hypotheses",
    "max_tokens": "max_new_tokens",
}
Check = Callable[[str, Any], Any]  # name and value of an option to its value in its own type
STOPPING = ("candidates", "optimal")
_INT32_MAX = 2**31 - 1


class Options(TypedDict, total=False):
    """The keywords of ``translate``, ``generate`` and ``stream``.

    ``BeamOptions`` and ``SamplingOptions`` say what each does; the last three are other
    spellings of ``beam_size``, ``num_hypotheses`` and ``max_new_tokens``.
    """

    beam_size: int
    num_hypotheses: int
    num_candidates: int | None
    length_penalty: float
    stopping: str
    temperature: float | None
    top_k: int | None
    seed: int | None
    max_new_tokens: int | None
    min_new_tokens: int
    max_batch_size: int
    return_attention: bool
    return_tree: bool
    rules: Sequence[Rule]
    num_beams: int
    num_return_sequences: int
    max_tokens: int | None


def _refuse(name: str, value: object, expected: str) -> NoReturn:
    raise InvalidArgument(f"{name} is {value!r}, expected {expected}")


def _integer(low: int, high: int = _INT32_MAX) -> Check:
    def check(name: str, value: Any) -> int:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not (whole and low <= value <= high):
            _refuse(name, value, f"an integer from {low} to {high}")
        return int(value)

    return check


def _number(above: float = -math.inf) -> Check:
    expected = "a finite number" if above == -math.inf else f"a finite number above {above:g}"

    def check(name: str, value: Any) -> float:
        real = isinstance(value, (int, float, np.integer, np.floating))
        if not real or isinstance(value, bool) or not math.isfinite(value) or value <= above:
            _refuse(name, value, expected)
        return float(value)

    return check


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        _refuse(name, value, "True or False")
    return bool(value)


def _stopping(name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in STOPPING:
        _refuse(name, value, " or ".join(repr(choice) for choice in STOPPING))
    return value


def _callables(name: str, value: Any) -> tuple[Rule, ...]:
    if not isinstance(value, (list, tuple)) or not all(callable(rule) for rule in value):
        _refuse(name, value, "a list of callables rule(logits, search)")
    return tuple(value)


def _option(default: Any, check: Check) -> Any:
    return field(default=default, metadata={"check": check})


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """What every search has.

    num_hypotheses
        How many to return.
    max_new_tokens
        Generated tokens at most, the end token included; None: 2 * source + 10 for
        ``translate``, 256 for ``generate``. Never beyond the positions of the model.
    min_new_tokens
        Generated tokens at least, the end token not counted.
    max_batch_size
        How many texts run together. No result depends on it.
    return_attention, return_tree
        Whether hypotheses carry their attention weights, and results the tree of the search.
    rules
        Functions ``rule(logits, search)`` that edit the logits (rows, vocab_size) of each step
        in place; ``search.sentences`` (rows,) numbers the texts of the call. One worker at a time
        calls them, from its own thread.
    """

    num_hypotheses: int = _option(1, _integer(1))
    max_new_tokens: int | None = _option(None, _integer(1))
    min_new_tokens: int = _option(0, _integer(0))
    max_batch_size: int = _option(32, _integer(1))
    return_attention: bool = _option(False, _boolean)
    return_tree: bool = _option(False, _boolean)
    rules: tuple[Rule, ...] = _option((), _callables)

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if value is not None or option.default is not None:  # None is a value of some only
                object.__setattr__(self, option.name, option.metadata["check"](option.name, value))
        if self.max_new_tokens is not None and self.min_new_tokens > self.max_new_tokens:
            _refuse(
                "min_new_tokens",
                self.min_new_tokens,
                f"at most max_new_tokens, which is {self.max_new_tokens}",
            )


@dataclass(frozen=True, kw_only=True)
class BeamOptions(SearchOptions):
    """Beam search; greedy with a beam of one.

    beam_size
        Live hypotheses of a text.
    num_candidates
        "candidates" stops after the step in which so many have ended; None: beam_size.
    length_penalty
        score = log_prob / length ** length_penalty; 0 compares sums, 1 means.
    stopping
        "candidates", or "optimal": once nothing better than the best num_hypotheses can come.
    """

    beam_size: int = _option(1, _integer(1))
    num_candidates: int | None = _option(None, _integer(1))  # None: beam_size
    length_penalty: float = _option(1.0, _number())
    stopping: str = _option("candidates", _stopping)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_hypotheses > self.candidates:
            _refuse(
                "num_hypotheses",
                self.num_hypotheses,
                f"at most num_candidates, which is {self.candidates} (beam_size unless given)",
            )

    @property
    def candidates(self) -> int:
        """After how many candidates the search may stop."""
        return self.beam_size if self.num_candidates is None else self.num_candidates


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(SearchOptions):
    """Random continuations, chosen when one of these options is given.

    temperature
        Divides the logits: below 1 sharpens, above 1 flattens.
    top_k
        Draws among the k best tokens; 0: among all.
    seed
        Of the draws, whose generators depend on nothing but seed and hypothesis: equal texts
        get equal draws. None: a fresh one for each text.
    """

    temperature: float = _option(1.0, _number(above=0))
    top_k: int = _option(0, _integer(0))
    seed: int | None = _option(None, _integer(0, 2**64 - 1))


_COMMON = {f.name for f in fields(SearchOptions)}
_BEAM = {f.name for f in fields(BeamOptions)} - _COMMON
_SAMPLING = {f.name for f in fields(SamplingOptions)} - _COMMON


def parse(
    given: Mapping[str, Any], *, beam_size: int, min_new_tokens: int, others: Sequence[str] = ()
) -> SearchOptions:
    """The options that a caller ``given`` by name, over the defaults of the task.

    ``others`` are options of the caller's own, which are only suggested.

    Sampling is chosen by ``temperature``, ``top_k`` or ``seed`` (None: not given), beam search
    otherwise. Raises InvalidArgument for a name that does not exist, suggesting the nearest, and
    for a value that does not fit.
    """
    options = {"min_new_tokens": min_new_tokens, **_by_name(given, others)}
    for name in _SAMPLING:
        if name in options and options[name] is None:
            del options[name]
    drawn = sorted(_SAMPLING & options.keys())
    if not drawn:
        return BeamOptions(**{"beam_size": beam_size, **options})
    if options.get("beam_size") == 1:
        del options["beam_size"]
    for name in sorted(_BEAM & options.keys()):
        _refuse(name, options[name], f"nothing: {drawn[0]} asks for sampling, which has no {name}")
    return SamplingOptions(**options)


def for_stream(options: SearchOptions) -> SearchOptions:
    """The same options, if a stream of text can honour them."""
    if options.num_hypotheses > 1:
        _refuse("num_hypotheses", options.num_hypotheses, "1 in a stream")
    for name in ("return_attention", "return_tree"):
        if getattr(options, name):
            _refuse(name, True, "False in a stream, which yields text only")
    return options


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
