"""Reading of input texts: one or many, each as text, tokens or ids."""

from __future__ import annotations

import unicodedata
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

_BLANK = ("Zs", "Zl", "Zp", "Cc", "Cf")  # categories of Unicode
_EXPECTED = "expected a text, ids, or a list of texts, of lists of tokens or of lists of ids"


class InvalidText(InvalidArgument):
    """One text of a list is invalid.

    ``index`` is its index in the list, ``reason`` the error message about this text.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(index, reason)
        self.index, self.reason = index, reason

    def __str__(self) -> str:
        return f"text {self.index}: {self.reason}"


@dataclass(frozen=True)
class Inputs:
    """Texts as token ids."""

    ids: list[list[int]]
    single: bool  # whether one text was given, not a list of texts
    exact: bool  # whether ids were given, to which no special tokens are added

    @property
    def count(self) -> str:
        """The number of texts in words, for error messages."""
        return "one text" if self.single else f"a list of {len(self.ids)}"

    @contextmanager
    def naming(self, index: int) -> Iterator[None]:
        """Add the text's index to InvalidArgument errors, if several texts were given."""
        with _naming(index, self.single):
            yield


def read(value: object, tokenizer: Tokenizer, what: str) -> Inputs:
    """Read ``value``, the argument named ``what``, as one or many texts.

    A str is one text. A flat list of int, or a one-dimensional integer array, is one sequence of
    ids. A list of str is many texts. A list of lists of str is many token sequences; a list of
    lists of int is many id sequences.

    Raises
    ------
    InvalidArgument
        ``value`` has another type, a list mixes types, or an id or token is unknown to the model.
    """
    many, kind, single = _sort_out(value, what)
    ids: list[list[int]] = []
    for index, one in enumerate(many):
        with _naming(index, single):
            ids.append(_to_ids(one, kind, tokenizer))
    return Inputs(ids, single, exact=kind == "ids")


def blank_as_empty(value: object) -> object:
    """Replace texts that show nothing, of spaces, control and format characters, by empty ones."""
    if isinstance(value, str):
        return "" if _is_blank(value) else value
    if isinstance(value, (list, tuple)):
        return ["" if isinstance(one, str) and _is_blank(one) else one for one in value]
    return value


def _is_blank(text: str) -> bool:
    return all(unicodedata.category(sign) in _BLANK for sign in text)


def _sort_out(value: object, what: str) -> tuple[Sequence[Any], str, bool]:
    """Return a list of texts, their kind ("text", "tokens" or "ids"), and whether it is one."""
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
    if all(_is_text(one) for one in value):
        return value, "text", False
    if all(_is_id(one) for one in value):
        return [value], "ids", True
    _expect_alike(value, what)
    return value, _kind_of_lists(value, what), False


def _expect_alike(value: Sequence[Any], what: str) -> None:
    """Refuse what is no text after a text, and what is no id after an id."""
    for fits, kind in ((_is_text, "a text"), (_is_id, "an id")):
        if fits(value[0]):
            index = next(index for index, one in enumerate(value) if not fits(one))
            raise InvalidArgument(
                f"{what}[{index}] is {_describe(value[index])}, expected {kind} like {what}[0]"
            )


def _kind_of_lists(value: Sequence[Any], what: str) -> str:
    """Return the kind of elements in a list of lists, "tokens" or "ids"; all must agree."""
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


def _is_text(value: object) -> bool:
    return isinstance(value, str)


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
