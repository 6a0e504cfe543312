"""Text that a SentencePiece model splits, with the ids of a vocabulary beside it (Marian)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import TokenizerFile
from attnengine.tokenizers.base import Tokenizer, expect_unicode
from attnengine.tokenizers.vocabulary import VocabularyTokenizer

_LANGUAGE = re.compile(r">>.*?<<")  # before a text: the language to translate it to


class SentencePieceTokenizer(Tokenizer):
    """Pieces of the model ``file``, looked up in a vocabulary.

    ``special`` are ids that have no text. A language such as ``>>fra<<`` at the start of a text
    is one token. Raises Unsupported when the extra ``sentencepiece`` is not installed.
    """

    def __init__(
        self, pieces: VocabularyTokenizer, file: TokenizerFile, special: Iterable[int]
    ) -> None:
        self.name, self.vocab_size = pieces.name, pieces.vocab_size
        self.vocabulary = pieces.vocabulary
        self._pieces, self._special = pieces, frozenset(special)
        self._processor = _open(file)

    def encode(self, text: str) -> list[int]:
        """The ids of the pieces of a text."""
        expect_unicode(text)
        language = _LANGUAGE.match(text)
        first, rest = ([language[0]], text[language.end() :]) if language else ([], text)
        return self.ids([*first, *self._processor.encode(rest, out_type=str)])

    def decode(self, ids: Sequence[int], after: Sequence[int] = (), *, final: bool = True) -> str:
        """The pieces joined, whatever they follow, without space at either end."""
        pieces = self.tokens(i for i in ids if i not in self._special)
        text: str = self._processor.decode_pieces(pieces).strip()
        # Bytes of a character that is not complete have become replacement characters.
        return text if final else text.rstrip("\ufffd")

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The piece of each id."""
        return self._pieces.tokens(ids)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """The id of each piece."""
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
        raise FormatError(f"{file} is missing or not a file")
    try:
        content = file if isinstance(file, bytes) else file.read_bytes()
        return SentencePieceProcessor(model_proto=content)
    except (OSError, RuntimeError) as error:
        raise FormatError(f"{name} is no SentencePiece model ({error})") from error
