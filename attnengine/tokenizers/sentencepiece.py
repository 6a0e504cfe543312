"""The tokenizer of Marian models: SentencePiece splits text, a vocabulary gives the ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import TokenizerFile
from attnengine.tokenizers.base import Tokenizer, expect_unicode
from attnengine.tokenizers.vocabulary import VocabularyTokenizer

_NONE = re.compile(r"((?!))")
_LANGUAGE = re.compile(r">>.*?<<", re.DOTALL)  # the target language, at the start of a text


class SentencePieceTokenizer(Tokenizer):
    """Splits text with the SentencePiece model ``file`` and looks its pieces up in a vocabulary.

    The ids ``special`` decode to no text. Tokens in ``whole`` are found in a text before it is
    split. With ``languages`` a language such as ``>>fra<<`` at the start of a text is one token.
    Raises Unsupported if the extra ``sentencepiece`` is not installed.
    """

    def __init__(
        self,
        pieces: VocabularyTokenizer,
        file: TokenizerFile,
        special: Iterable[int],
        *,
        whole: Collection[str] = (),
        languages: bool = True,
    ) -> None:
        self.name, self.vocab_size = pieces.name, pieces.vocab_size
        self.vocabulary = pieces.vocabulary
        self._pieces, self._special = pieces, frozenset(special)
        self._processor = _open(file)
        longest_first = sorted(map(re.escape, whole), key=len, reverse=True)
        self._whole = re.compile(f"({'|'.join(longest_first)})") if whole else _NONE
        self._languages = languages

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of a text."""
        expect_unicode(text)
        parts = self._whole.split(text)  # every second one is a special token
        found = [[part] if i % 2 else self._split(part) for i, part in enumerate(parts)]
        return self.ids([token for tokens in found for token in tokens])

    def _split(self, text: str) -> list[str]:
        language = _LANGUAGE.match(text) if self._languages else None
        first, rest = ([language[0]], text[language.end() :]) if language else ([], text)
        return [*first, *self._processor.encode(rest, out_type=str)]

    def decode(self, ids: Sequence[int], after: Sequence[int] = (), *, final: bool = True) -> str:
        """Return the joined pieces without spaces at either end; ``after`` has no effect."""
        pieces = self.tokens(i for i in ids if i not in self._special)
        text: str = self._processor.decode_pieces(pieces).strip()
        # The library turns the bytes of an incomplete character into replacement characters.
        return text if final else text.rstrip("\ufffd")

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the piece of each id."""
        return self._pieces.tokens(ids)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Return the id of each piece."""
        return self._pieces.ids(tokens)


def _open(file: TokenizerFile) -> Any:
    name = str(file) if isinstance(file, Path) else "the tokenizer"
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError as error:
        raise Unsupported(
            f"{name} needs sentencepiece, which is not installed:"
            " pip install 'attnengine[sentencepiece]'"
        ) from error
    if isinstance(file, Path) and not file.is_file():
        raise FormatError(f"{file} is missing or not a file, expected a SentencePiece model")
    try:
        content = file if isinstance(file, bytes) else file.read_bytes()
        return SentencePieceProcessor(model_proto=content)
    except (OSError, RuntimeError) as error:
        raise FormatError(f"{name} is not a valid SentencePiece model: {error}") from error
