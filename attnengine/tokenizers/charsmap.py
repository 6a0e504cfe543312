"""The normalisation of sentencepiece for sequences of characters (Kudo and Richardson 2018).

A character map is a trie over UTF-8; the longest match is replaced. The library ``tokenizers``
looks at single characters and at short clusters only. Letters in parts, such as decomposed Hangul
or half-width kana with a voice mark, then stay in parts and become unknown.
"""

from __future__ import annotations

import base64
import re
import string
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from attnengine.errors import FormatError

_STORED = re.compile(rb'"precompiled_charsmap"\s*:\s*"([^"]+)"')
_PUNCTUATION = string.punctuation.encode()


class Charsmap:
    """Replaces matches of two and more characters, and single characters before a mark.

    Other characters, and those that become punctuation of ASCII, are left to the library, so that
    no special token arises from a text. A text in Unicode's normal form NFKC has no match in
    sentencepiece's own maps.
    """

    def __init__(self, data: bytes) -> None:
        size = struct.unpack_from("<I", data)[0] if len(data) >= 4 else len(data)
        if size % 4 or size + 4 > len(data):
            raise FormatError(f"a character map has {len(data)} bytes, expected more than {size}")
        self._units = memoryview(data)[4 : 4 + size].cast("I")
        self._results = data[4 + size :]

    @classmethod
    def of(cls, normalizer: Mapping[str, Any] | None) -> Charsmap | None:
        """Return the map in the normalizer of a tokenizer.json, or None without one."""
        found = next(_maps(normalizer or {}), None)
        return None if found is None else cls(base64.b64decode(found))

    def replace(self, text: str) -> str:
        """Return the text with its longest matches of several characters replaced."""
        if unicodedata.is_normalized("NFKC", text):
            return text
        data, pieces, at = text.encode(), [], 0
        while at < len(data):
            one = _width(data[at])
            length, result = self._longest(data, at)
            whole = length > one or (length == one and _is_marked(data, at + one, result))
            pieces.append(result if whole else data[at : at + one])
            at += max(length, one)
        return b"".join(pieces).decode()

    def _longest(self, data: bytes, start: int) -> tuple[int, bytes]:
        """Return the length in bytes of the longest match, and its replacement."""
        units, length, value = self._units, 0, 0
        node = _offset(units[0]) if units else 0
        for at in range(start, len(data)):
            node ^= data[at]
            if node >= len(units) or units[node] & 0x800000FF != data[at]:
                break
            leaf, node = units[node] >> 8 & 1, node ^ _offset(units[node])
            if leaf and node < len(units):
                length, value = at + 1 - start, units[node] & 0x7FFFFFFF
        return length, self._results[value : self._results.find(b"\0", value)]


def check_maps(content: bytes) -> None:
    """Refuse a tokenizer.json with a map of another size than it says.

    The library would take any memory for it. Raises FormatError.
    """
    for found in _STORED.finditer(content):
        Charsmap(base64.b64decode(found[1]))


def _maps(normalizer: Mapping[str, Any]) -> Iterator[str]:
    if normalizer.get("type") == "Precompiled" and normalizer.get("precompiled_charsmap"):
        yield normalizer["precompiled_charsmap"]
    for one in normalizer.get("normalizers", ()):
        yield from _maps(one)


def _is_marked(data: bytes, after: int, result: bytes) -> bool:
    """Whether a combining mark follows, which the library would drop.

    No punctuation of ASCII may arise.
    """
    if after >= len(data) or any(byte in _PUNCTUATION for byte in result):
        return False
    following = data[after : after + _width(data[after])].decode()
    return unicodedata.category(following).startswith("M")


def _offset(unit: int) -> int:
    """Return the distance to the children of a node, as darts-clone packs it."""
    return unit >> 10 << ((unit & 1 << 9) >> 6)


def _width(first: int) -> int:
    """Return the number of bytes of the character that starts with this byte."""
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
