"""The interface of all tokenizers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from attnengine.errors import InvalidArgument


class Tokenizer(ABC):
    """Converts text to the ids of a model and back."""

    name: str  # "source", "target" or "": names the vocabulary in error messages
    vocab_size: int

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without begin and end tokens.

        Raises InvalidArgument for a text that is not valid Unicode. Without an unknown token in
        the model, it also raises for unknown tokens.
        """

    @abstractmethod
    def decode(self, ids: Sequence[int], after: Sequence[int] = (), *, final: bool = True) -> str:
        """Return the text of ``ids``, which follow the ids ``after``.

        If ``final`` is False, more ids follow: the bytes of an incomplete last character are left
        out.
        """

    @abstractmethod
    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id."""

    @abstractmethod
    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Return the id of each token.

        Raises InvalidArgument for an unknown token if the model has no unknown token.
        """

    @property
    def _vocabulary(self) -> str:
        return f"the {self.name} vocabulary" if self.name else "the vocabulary"

    def check(self, ids: Sequence[int]) -> None:
        """Raise InvalidArgument, with the position, for an id outside the vocabulary."""
        for position, i in enumerate(ids):
            if not 0 <= i < self.vocab_size:
                raise self._out_of_range(i, position)

    def _out_of_range(self, i: int, position: int) -> InvalidArgument:
        return InvalidArgument(
            f"id {i} at position {position}, expected 0 to {self.vocab_size - 1}"
            f" ({self._vocabulary} has {self.vocab_size} tokens)"
        )

    def _unknown(self, token: str, position: int) -> InvalidArgument:
        return InvalidArgument(
            f"token {token!r} at position {position} is not in {self._vocabulary},"
            " and the model has no unknown token"
        )


def expect_unicode(text: str) -> None:
    """Raise InvalidArgument for a text with half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"character {text[error.start]!r} at position {error.start} is half of a"
            " surrogate pair, expected valid Unicode"
        ) from None
