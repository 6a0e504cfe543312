"""What every tokenizer has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from attnengine.errors import InvalidArgument


class Tokenizer(ABC):
    """Text to the ids of a model and back."""

    name: str  # "source", "target" or "": the vocabulary, in error messages
    vocab_size: int

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The ids of a text, without begin and end tokens.

        Raises InvalidArgument for a text that is not valid Unicode or that has tokens which the
        model does not know and has no unknown token for.
        """

    @abstractmethod
    def decode(self, ids: Sequence[int], after: Sequence[int] = (), *, final: bool = True) -> str:
        """The text that ``ids`` stand for where they follow ``after``.

        Unless ``final``, without the end that ids to come may still change: the bytes of a
        character that is not complete.
        """

    @abstractmethod
    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The token of each id."""

    @abstractmethod
    def ids(self, tokens: Sequence[str]) -> list[int]:
        """The id of each token.

        Raises InvalidArgument for one that is unknown when the model has no unknown token.
        """

    @property
    def _vocabulary(self) -> str:
        return f"the {self.name} vocabulary" if self.name else "the vocabulary"

    def check(self, ids: Sequence[int]) -> None:
        """Raise InvalidArgument, naming the position, if an id is not one of the model's."""
        for position, i in enumerate(ids):
            if not 0 <= i < self.vocab_size:
                raise self._out_of_range(i, position)

    def _out_of_range(self, i: int, position: int) -> InvalidArgument:
        return InvalidArgument(
            f"id {i} at position {position}, expected 0 to {self.vocab_size - 1}"
            f" ({self._vocabulary} has {self.vocab_size})"
        )

    def _unknown(self, token: str, position: int) -> InvalidArgument:
        return InvalidArgument(
            f"token {token!r} at position {position} is not in {self._vocabulary},"
            " and the model has no unknown token"
        )


def expect_unicode(text: str) -> None:
    """Raise InvalidArgument for halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"character {text[error.start]!r} at position {error.start} is half of a"
            " surrogate pair, expected valid Unicode"
        ) from None
