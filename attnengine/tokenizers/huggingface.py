"""The tokenizer of a tokenizer.json, which the library ``tokenizers`` reads."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import tokenizers

from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import TokenizerFile
from attnengine.tokenizers.base import Tokenizer, expect_unicode
from attnengine.tokenizers.charsmap import Charsmap, check_maps
from attnengine.tokenizers.pieces import Pieces

_SPACE = "▁"  # of sentencepiece


class HuggingFaceTokenizer(Tokenizer):
    """The tokenizer of a file; it adds no special tokens to a text.

    Special tokens decode to no text. If tokens are pieces of UTF-8, this class joins their bytes
    itself: a longer sequence of ids then only appends text. With ``prefix_space`` a space comes
    before a text, unless the text starts with a special token.
    """

    def __init__(
        self,
        name: str,
        file: TokenizerFile,
        vocab_size: int,
        unk_token_id: int | None = None,
        *,
        prefix_space: bool = False,
    ) -> None:
        self.name, self.vocab_size, self.unk_token_id = name, vocab_size, unk_token_id
        if isinstance(file, Path) and not file.is_file():
            raise FormatError(f"{file} is missing or not a file, expected a tokenizer")
        with _failure(FormatError, str(file) if isinstance(file, Path) else "the tokenizer"):
            content = file if isinstance(file, bytes) else file.read_bytes()
            check_maps(content)
            self._library = tokenizers.Tokenizer.from_str(content.decode())
            self._library.no_truncation()
            self._library.no_padding()
            added = self._library.get_added_tokens_decoder()
            decoder = self._library.decoder
            settings = None if decoder is None else json.loads(decoder.__getstate__())
            normalizer = self._library.normalizer
            self._charsmap = Charsmap.of(normalizer and json.loads(normalizer.__getstate__()))
        self._special = frozenset(i for i, token in added.items() if token.special)
        self._pieces = Pieces.of(settings)
        self._prefix_space = prefix_space
        self._bytes: dict[int, bytes] = {}  # the bytes of each id decoded so far

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without begin and end tokens."""
        expect_unicode(text)
        with _failure(InvalidArgument, "the text"):
            ids: list[int] = self._library.encode(self._given(text), add_special_tokens=False).ids
        self.check(ids)
        if self._prefix_space and len(ids) > 1 and ids[1] in self._special:
            return ids[1:] if self._library.id_to_token(ids[0]) == _SPACE else ids
        return ids

    def _given(self, text: str) -> str:
        """Return a text as the library shall read it."""
        if self._charsmap is not None:
            text = self._charsmap.replace(text)
        return _SPACE + text.replace(_SPACE, " ") if self._prefix_space and text else text

    def decode(self, ids: Sequence[int], after: Sequence[int] = (), *, final: bool = True) -> str:
        """Return the text of ``ids``, which follow ``after``.

        Some tokenizers drop a space at the start of a text; they do so only if ``after`` has no
        text.
        """
        if self._pieces is None:
            text = self._continuation([*after], [*ids])
            return text if final else text.rstrip("\ufffd")
        data = b"".join(map(self._bytes_of, ids))
        if self._pieces.strip and all(i in self._special for i in after):
            data = data.removeprefix(b" ")
        return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final)

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id."""
        found = ((i, self._library.id_to_token(i)) for i in ids)
        return [f"<id {i}>" if token is None else token for i, token in found]

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Return the id of each token."""
        return [self._id(token, position) for position, token in enumerate(tokens)]

    def _id(self, token: str, position: int) -> int:
        expect_unicode(token)
        found = self._library.token_to_id(token)
        if found is None:
            found = self.unk_token_id
        if found is None:
            raise self._unknown(token, position)
        self.check([found])
        return found

    def _bytes_of(self, i: int) -> bytes:
        """Return the UTF-8 bytes of a token, which may be a part of a character."""
        known = self._bytes.get(i)
        if known is None:
            assert self._pieces is not None
            token = None if i in self._special else self._library.id_to_token(i)
            known = self._bytes[i] = b"" if token is None else self._pieces.to_bytes(token)
        return known

    def _continuation(self, after: list[int], ids: list[int]) -> str:
        """Decode ``after + ids`` and return the text beyond that of ``after``."""
        before = self._library.decode(after)
        return self._library.decode(after + ids)[len(before) :]


@contextmanager
def _failure(kind: type[FormatError] | type[InvalidArgument], what: str) -> Iterator[None]:
    """Raise ``kind`` for errors of the library; its PanicException is a BaseException."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise kind(f"{what}: the library tokenizers failed: {str(error)[:300]}") from error
