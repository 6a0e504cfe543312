"""What callers give as text: one or many, as text, tokens or ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import InvalidArgument
from attnengine.tokenizers import Tokenizer

OneText: TypeAlias = "str | list[int] | NDArray[np.integer[Any]]"
ManyTexts: TypeAlias = "list[str] | list[list[str]] | list[list[int]]"

_EXPECTED = "expected a text, ids, or a list of texts, of lists of tokens or of lists of ids"


class InvalidText(InvalidArgument):
    """One text of several does not fit.

    ``index`` is its place in the list, ``reason`` says what is wrong with it.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(index, reason)
        self.index, self.reason = index, reason

    def __str__(self) -> str:
        return f"text {self.index}: {self.reason}"


@dataclass(frozen=True)
class Inputs:
    """Texts as ids."""

    ids: list[list[int]]
    single: bool  # one text was given, not a list of texts
    exact: bool  # ids were given: score() adds nothing to them

    @property
    def count(self) -> str:
        """How many texts these are, in words."""
        return "one text" if self.single else f"a list of {len(self.ids)}"

    @contextmanager
    def naming(self, index: int) -> Iterator[None]:
        """Let the errors about one text name its place, if it is one of several."""
        with _naming(index, self.single):
            yield


def read(value: object, tokenizer: Tokenizer, what: str) -> Inputs:
    """Read ``value``, the argument named ``what``, as one or many texts.

    A str is one text; a flat list of int or a one-dimensional integer array is one sequence of
    ids; a list of str is many texts; a list of lists of str or of int is many token or id
    sequences.

    Raises
    ------
    InvalidArgument
        Anything else, mixed lists, an id or token that the model does not have.
    """
    many, kind, single = _sort_out(value, what)
    ids: list[list[int]] = []
    for index, one in enumerate(many):
        with _naming(index, single):
            ids.append(_to_ids(one, kind, tokenizer))
    return Inputs(ids, single, exact=kind == "ids")


def _sort_out(value: object, what: str) -> tuple[Sequence[Any], str, bool]:
    """The texts one by one, what they consist of (text, tokens or ids), and whether it is one."""
    if isinstance(value, np.ndarray):
        if value.ndim not in (1, 2) or value.dtype.kind not in "iu":
            raise InvalidArgument(f"{what} is {_describe(value)}, {_EXPECTED}")
        return ([value], "ids", True) if value.ndim == 1 else (list(value), "ids", False)
    if isinstance(value, str):
        return [value], "text", True
    if not isinstance(value, (list, tuple)):
        raise InvalidArgument(f"{what} is {_describe(value)}, {_EXPECTED}")
    if not value:
        return [], "text", False
    if all(isinstance(one, str) for one in value):
        return value, "text", False
    if all(_is_id(one) for one in value):
        return [value], "ids", True
    return value, _kind_of_lists(value, what), False


def _kind_of_lists(value: Sequence[Any], what: str) -> str:
    """Whether lists hold tokens or ids; they must agree."""
    kind = None
    for index, one in enumerate(value):
        if not isinstance(one, (list, tuple, np.ndarray)):
            raise InvalidArgument(
                f"{what}[{index}] is {_describe(one)} in a mixed list, {_EXPECTED}"
            )
        for element in one:
            kind = kind or _kind(element)
            if _kind(element) != kind or kind == "other":
                raise InvalidArgument(f"{what}[{index}] holds {_describe(element)}, {_EXPECTED}")
    return kind or "ids"


def _kind(element: object) -> str:
    if isinstance(element, str):
        return "tokens"
    return "ids" if _is_id(element) else "other"


def _to_ids(one: Any, kind: str, tokenizer: Tokenizer) -> list[int]:
    if kind == "text":
        return tokenizer.encode(one)
    if kind == "tokens":
        return tokenizer.ids(one)
    ids = [int(i) for i in one]
    tokenizer.check(ids)
    return ids


def _is_id(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return f"{value!r} ({type(value).__name__})" if len(repr(value)) < 60 else type(value).__name__


@contextmanager
def _naming(index: int, single: bool) -> Iterator[None]:
    try:
        yield
    except InvalidArgument as error:
        if single or isinstance(error, InvalidText):
            raise
        raise InvalidText(index, str(error)) from None
