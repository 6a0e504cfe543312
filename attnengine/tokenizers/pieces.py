"""The bytes of each token, as the decoder of a tokenizer.json defines them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(frozen=True)
class Pieces:
    """A decoder that turns each token into bytes; the joined bytes are the text in UTF-8.

    ``to_bytes`` returns the bytes of a token. ``strip`` says whether a space at the start of the
    text is dropped.
    """

    to_bytes: Callable[[str], bytes]
    strip: bool = False

    @classmethod
    def of(cls, decoder: Mapping[str, Any] | None) -> Pieces | None:
        """Read a decoder of GPT-2's bytes or of SentencePiece's pieces; None for other decoders."""
        if decoder is None:
            return None
        if decoder["type"] == "ByteLevel":
            return cls(_byte_level)
        if decoder["type"] != "Sequence":
            return None
        strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
        parts = list(decoder["decoders"])
        stripped = bool(parts) and parts[-1] == strip
        if stripped:
            parts.pop()
        replaced = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
        if parts == [replaced, {"type": "Fuse"}]:
            return cls(_spaced, stripped)
        if parts == [replaced, {"type": "ByteFallback"}, {"type": "Fuse"}]:
            return cls(_byte_fallback, stripped)
        return None


def _visible_bytes() -> dict[str, int]:
    """Return the byte of each character in GPT-2's byte-level vocabulary.

    A printable character of Latin-1 stands for its own byte. The characters from U+0100 on stand
    for the other bytes, in ascending order.
    """
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    named = {chr(byte): byte for byte in plain}
    return {**named, **{chr(0x100 + i): byte for i, byte in enumerate(others)}}


_VISIBLE = _visible_bytes()


def _byte_level(token: str) -> bytes:
    """Return the bytes of a byte-level token, or the UTF-8 of an added token."""
    try:
        return bytes(_VISIBLE[character] for character in token)
    except KeyError:
        return token.encode()


def _byte_fallback(token: str) -> bytes:
    """Return the byte of a token such as <0x0A>, or the UTF-8 of another token."""
    byte = _BYTE.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else _spaced(token)


def _spaced(token: str) -> bytes:
    """Return the UTF-8 of a token, with "▁" replaced by a space."""
    return token.replace("▁", " ").encode()
