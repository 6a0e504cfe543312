"""The tokenizer of a plain vocabulary: splits text into characters or words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import Vocabulary
from attnengine.tokenizers.base import Tokenizer, expect_unicode

KINDS = ("characters", "words", "none")


@dataclass(frozen=True)
class VocabularyTokenizer(Tokenizer):
    """Splits text into the tokens of a vocabulary, and joins tokens to text.

    ``kind`` is "characters" (Unicode code points), "words" (split and joined at spaces) or
    "none" (like "words"; without a vocabulary the words are ids in decimal digits).

    Raises FormatError for another kind, for a missing vocabulary, and for one of another size than
    ``vocab_size``.
    """

    name: str
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

    def split(self, text: str) -> list[str]:
        """Return the tokens of a text, including tokens outside the vocabulary."""
        expect_unicode(text)
        if self.kind == "characters":
            return list(text)
        return [word for word in text.split(" ") if word]

    def join(self, tokens: Iterable[str]) -> str:
        """Join ``tokens`` to a text."""
        return ("" if self.kind == "characters" else " ").join(tokens)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Return the id of each token."""
        return [self._id(token, position) for position, token in enumerate(tokens)]

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id."""
        if self.vocabulary is None:
            return [str(i) for i in ids]
        return [self.vocabulary.tokens[i] for i in ids]

    def encode(self, text: str) -> list[int]:
        """Split a text into tokens and return their ids."""
        return self.ids(self.split(text))

    def decode(self, ids: Sequence[int], after: Sequence[int] = (), *, final: bool = True) -> str:
        """Return the text of ``ids``; ``after`` and ``final`` have no effect."""
        return self.join(self.tokens(ids))

    def _decimal(self, token: str, position: int) -> int:
        if not (token.isascii() and token.isdigit() and len(token) < 20):
            raise InvalidArgument(
                f"token {token!r} at position {position}, expected an id in decimal digits:"
                " the model has no vocabulary"
            )
        if int(token) >= self.vocab_size:
            raise self._out_of_range(int(token), position)
        return int(token)

    def _id(self, token: str, position: int) -> int:
        if self.vocabulary is None:
            return self._decimal(token, position)
        found = self.vocabulary.ids.get(token, self.unk_token_id)
        if found is None:
            raise self._unknown(token, position)
        return found
