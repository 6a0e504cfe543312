"""Text to ids and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import Vocabulary

KINDS = ("characters", "words", "none")


@dataclass(frozen=True)
class Tokenizer:
    """Splits text into the tokens of a vocabulary and joins them again.

    ``kind`` is "characters" (Unicode code points), "words" (split and joined at spaces) or
    "none" (as words; without a vocabulary the words are the ids in decimal digits).
    """

    name: str  # "source", "target" or "": the vocabulary, in error messages
    kind: str
    vocabulary: Vocabulary | None
    vocab_size: int
    unk_token_id: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FormatError(f"tokenizer is {self.kind!r}, expected one of {', '.join(KINDS)}")
        if self.vocabulary is None:
            if self.kind != "none":
                raise FormatError(f"tokenizer is {self.kind!r}, but {self._vocabulary} is missing")
        elif len(self.vocabulary.tokens) != self.vocab_size:
            raise FormatError(
                f"{self._vocabulary} has {len(self.vocabulary.tokens)} tokens,"
                f" expected {self.vocab_size}"
            )

    @property
    def _vocabulary(self) -> str:
        return f"the {self.name} vocabulary" if self.name else "the vocabulary"

    def split(self, text: str) -> list[str]:
        """The tokens of a text, whether the vocabulary has them or not."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidArgument(
                f"character {text[error.start]!r} at position {error.start} is half of a"
                " surrogate pair, expected valid Unicode"
            ) from None
        if self.kind == "characters":
            return list(text)
        return [word for word in text.split(" ") if word]

    def join(self, tokens: Iterable[str]) -> str:
        """The text that consists of ``tokens``."""
        return ("" if self.kind == "characters" else " ").join(tokens)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """The id of each token.

        Raises
        ------
        InvalidArgument
            A token is not in the vocabulary and the model has no unknown token.
        """
        return [self._id(token, position) for position, token in enumerate(tokens)]

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The token of each id."""
        if self.vocabulary is None:
            return [str(i) for i in ids]
        return [self.vocabulary.tokens[i] for i in ids]

    def encode(self, text: str) -> list[int]:
        """The ids of a text: what ``split`` and ``ids`` make of it."""
        return self.ids(self.split(text))

    def decode(self, ids: Iterable[int]) -> str:
        """The text that ``ids`` stand for."""
        return self.join(self.tokens(ids))

    def check(self, ids: Sequence[int]) -> None:
        """Raise InvalidArgument, naming the position, if an id is not one of the model's."""
        for position, i in enumerate(ids):
            self._check(i, position)

    def _check(self, i: int, position: int) -> None:
        if not 0 <= i < self.vocab_size:
            raise InvalidArgument(
                f"id {i} at position {position}, expected 0 to {self.vocab_size - 1}"
                f" ({self._vocabulary} has {self.vocab_size})"
            )

    def _decimal(self, token: str, position: int) -> int:
        if not (token.isascii() and token.isdigit() and len(token) < 20):
            raise InvalidArgument(
                f"{token!r} at position {position}, expected an id in decimal digits:"
                " the model has no vocabulary"
            )
        self._check(int(token), position)
        return int(token)

    def _id(self, token: str, position: int) -> int:
        if self.vocabulary is None:
            return self._decimal(token, position)
        found = self.vocabulary.ids.get(token, self.unk_token_id)
        if found is None:
            raise InvalidArgument(
                f"token {token!r} at position {position} is not in {self._vocabulary},"
                " and the model has no unknown token"
            )
        return found
