"""What the decoder of a tokenizer.json makes of each token, in bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(frozen=True)
class Pieces:
    """Tokens as bytes that only have to be put together.

    strip: whether a space at the start of the text is left out.
    """

    to_bytes: Callable[[str], bytes]
    strip: bool = False

    @classmethod
    def of(cls, decoder: Mapping[str, Any] | None) -> Pieces | None:
        """Read a decoder: GPT-2's bytes, or sentencepiece's pieces and bytes; None for others."""
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
    """The character that stands for each byte in GPT-2's vocabulary.

    Bytes that print as a character of Latin-1 stand for themselves, the others for the
    characters from U+0100 on, in their order.
    """
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    named = {chr(byte): byte for byte in plain}
    return {**named, **{chr(0x100 + i): byte for i, byte in enumerate(others)}}


_VISIBLE = _visible_bytes()


def _byte_level(token: str) -> bytes:
    """The bytes of a token; one that has other characters was added as plain text."""
    try:
        return bytes(_VISIBLE[character] for character in token)
    except KeyError:
        return token.encode()


def _byte_fallback(token: str) -> bytes:
    """The byte that a token such as <0x0A> stands for, or its text."""
    byte = _BYTE.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else _spaced(token)


def _spaced(token: str) -> bytes:
    """The text of a token that has a sign for a space."""
    return token.replace("▁", " ").encode()
