"""Reads sentencepiece models (``ModelProto`` of sentencepiece_model.proto)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.text import VOCABULARY_LIMIT

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)  # types of pieces
_LONGEST = 1024  # characters of a piece; the reader tries all ways to split it in two
_KINDS = {1: "unigram", 2: "bpe"}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


@dataclass(frozen=True)
class Piece:
    """A token, its score and its type, one of those above."""

    text: str
    score: float
    type: int


@dataclass(frozen=True)
class SentencePieceModel:
    """The model that splits a text into pieces; a piece's index is its id."""

    kind: str  # "unigram" or "bpe"
    pieces: list[Piece]
    byte_fallback: bool
    charsmap: bytes  # map of the normalisation; empty for none
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool

    @property
    def unknown(self) -> int:
        """The id of the unknown piece."""
        return next(i for i, piece in enumerate(self.pieces) if piece.type == UNKNOWN)


def read(path: Path) -> SentencePieceModel:
    """Read a model.

    Raises
    ------
    FormatError
        The file is missing, too large, damaged, or has no unknown piece.
    Unsupported
        The model splits into words or characters, or needs a switch that attnengine lacks.
    """
    if not path.is_file():
        raise FormatError(f"{path} is missing or not a file")
    with damage_named(path):
        if path.stat().st_size > VOCABULARY_LIMIT:
            size = path.stat().st_size
            raise FormatError(f"{path} has {size} bytes, expected up to {VOCABULARY_LIMIT}")
        return _model(path, memoryview(path.read_bytes()))


def _model(path: Path, data: memoryview) -> SentencePieceModel:
    pieces: list[Piece] = []
    trainer: dict[int, object] = {}
    normalizer: dict[int, object] = {}
    for number, value in _fields(data):
        if number == 1:
            pieces.append(_piece(_message(value)))
        elif number == 2:
            trainer.update(_fields(_message(value)))
        elif number == 3:
            normalizer.update(_fields(_message(value)))
    kind = trainer.get(3, 1)
    if kind not in _KINDS:
        raise Unsupported(f"{path}: model_type is {kind}, expected 1 (unigram) or 2 (bpe)")
    for switch, where, expected in (
        ("treat_whitespace_as_suffix", trainer.get(24, 0), 0),
        ("escape_whitespaces", normalizer.get(5, 1), 1),
    ):
        if where != expected:
            raise Unsupported(f"{path}: {switch} is {where}, expected {expected}")
    if sum(piece.type == UNKNOWN for piece in pieces) != 1:
        raise FormatError(f"{path} has no unknown piece, or several, expected one")
    if any(piece.type == UNUSED for piece in pieces):
        raise Unsupported(f"{path} has pieces that are marked as unused")
    return SentencePieceModel(
        kind=_KINDS[int(str(kind))],
        pieces=pieces,
        byte_fallback=bool(trainer.get(35, 0)),
        charsmap=bytes(_message(normalizer.get(2, b""))),
        add_dummy_prefix=bool(normalizer.get(3, 1)),
        remove_extra_whitespaces=bool(normalizer.get(4, 1)),
    )


def _piece(data: memoryview) -> Piece:
    fields = dict(_fields(data))
    (score,) = struct.unpack("<f", fields.get(2, b"\0\0\0\0"))  # type: ignore[arg-type]
    if not abs(score) < 1e30:
        raise ValueError(f"a piece has score {score}")
    kind = fields.get(3, NORMAL)
    if not isinstance(kind, int) or not NORMAL <= kind <= BYTE:
        raise ValueError(f"a piece has type {kind}")
    text = str(_message(fields[1]), "utf-8")
    if len(text) > _LONGEST:
        raise ValueError(f"a piece has {len(text)} characters, expected up to {_LONGEST}")
    return Piece(text, score, kind)


def _message(value: object) -> memoryview:
    if not isinstance(value, (memoryview, bytes)):
        raise ValueError(f"{value!r} stands where bytes are expected")
    return memoryview(value)


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of every field of a message: integers, or bytes for other types."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"field {number} has wire type {wire}")
        if size > len(data) - at:
            raise ValueError(f"field {number} has {size} bytes, but {len(data) - at} are left")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return an integer with seven bits per byte, lowest first, and the offset behind it."""
    value = 0
    for place in range(10):
        byte = data[at + place]
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, at + place + 1
    raise ValueError("an integer has more than 64 bits")
