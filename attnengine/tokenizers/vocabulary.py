"""Text that is split into the tokens of a vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import Vocabulary
from attnengine.tokenizers.base import Tokenizer, expect_unicode

KINDS = ("characters", "words", "none")


@dataclass(frozen=True)
class VocabularyTokenizer(Tokenizer):
    """Splits text into the tokens of a vocabulary and joins them again.

    ``kind`` is "characters" (Unicode code points), "words" (split and joined at spaces) or
    "none" (as words; without a vocabulary the words are the ids in decimal digits).
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
        """The tokens of a text, whether the vocabulary has them or not."""
        expect_unicode(text)
        if self.kind == "characters":
            return list(text)
        return [word for word in text.split(" ") if word]

    def join(self, tokens: Iterable[str]) -> str:
        """The text that consists of ``tokens``."""
        return ("" if self.kind == "characters" else " ").join(tokens)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """The id of each token."""
        return [self._id(token, position) for position, token in enumerate(tokens)]

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The token of each id."""
        if self.vocabulary is None:
            return [str(i) for i in ids]
        return [self.vocabulary.tokens[i] for i in ids]

    def encode(self, text: str) -> list[int]:
        """The ids of a text: what ``split`` and ``ids`` make of it."""
        return self.ids(self.split(text))

    def decode(self, ids: Sequence[int], after: Sequence[int] = (), *, final: bool = True) -> str:
        """The text that ``ids`` stand for, whatever they follow."""
        return self.join(self.tokens(ids))

    def _decimal(self, token: str, position: int) -> int:
        if not (token.isascii() and token.isdigit() and len(token) < 20):
            raise InvalidArgument(
                f"{token!r} at position {position}, expected an id in decimal digits:"
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
