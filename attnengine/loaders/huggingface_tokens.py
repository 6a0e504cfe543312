"""The special tokens and tokenizer files of a transformers folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.files import (
    CONFIG_LIMIT,
    TOKENIZER_LIMIT,
    damage_named,
    read_object,
    short,
)

_UNK = "<unk>"


@dataclass
class Tokens:
    """Config keys, the vocabularies of sentencepiece models, and files for the engines."""

    config: dict[str, Any]
    vocabularies: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


def read_tokens(
    path: Path, given: Mapping[str, Any], config: Mapping[str, Any], *, kind: str
) -> Tokens:
    """Read what decides how text becomes tokens.

    given: config.json, which also holds what early versions kept there of the search.
    config: the same without that, with a value for every key.
    """
    generation = _optional(path / "generation_config.json", CONFIG_LIMIT)
    special = {key: _special(key, generation, config) for key in schema.SPECIAL}
    if kind == "seq2seq":
        start = _special("decoder_start_token_id", generation, config)
        tokens = _encoder_decoder(path, config, {**special, "decoder_start_token_id": start})
        never = [special["pad_token_id"]]  # transformers forbade it in code, then by bad_words_ids
    else:
        tokens = _language_model(path, special)
        never = []
    never += _suppressed(path, generation) + _suppressed(path, given)
    tokens.config["suppress_tokens"] = sorted({i for i in never if i is not None})
    return tokens


def _language_model(path: Path, special: Mapping[str, Any]) -> Tokens:
    file = path / schema.TOKENIZER_FILE
    if not file.is_file():
        return Tokens({**special, "tokenizer": "none", "add_bos": False})
    content = read_object(file, TOKENIZER_LIMIT)
    with damage_named(file):
        # As transformers 5: add_bos_token of tokenizer_config.json changes nothing beside this.
        begin = _first_added(file, content)
        config = {
            **special,
            "bos_token_id": special["bos_token_id"] if begin is None else begin,
            "unk_token_id": _unknown(content),
            "tokenizer": "tokenizers",
            "add_bos": begin is not None,
        }
    return Tokens(config, files={schema.TOKENIZER_FILE: file})


def _encoder_decoder(path: Path, config: Mapping[str, Any], special: Mapping[str, Any]) -> Tokens:
    """Marian: pieces of source.spm and target.spm, whose ids are in vocab.json."""
    ends = special["eos_token_id"]
    tokens = Tokens(
        {
            **special,
            "add_source_bos": False,
            "add_source_eos": True,
            "source_bos_token_id": special["bos_token_id"],
            "source_eos_token_id": ends[0] if isinstance(ends, list) and ends else ends,
            "source_pad_token_id": special["pad_token_id"],
            "source_unk_token_id": None,
            "tokenizer": {"source": "none", "target": "none"},
        }
    )
    files = {name: path / name for name in schema.SENTENCEPIECE_FILES.values()}
    vocabulary = path / "vocab.json"
    if not any(file.is_file() for file in (*files.values(), vocabulary)):
        return tokens
    for file in (*files.values(), vocabulary):
        if not file.is_file():
            raise FormatError(f"{file} is missing, which the tokenizer needs")
    own = path / "target_vocab.json"
    for side, file in (("source", vocabulary), ("target", own if own.is_file() else vocabulary)):
        pieces = _pieces(file, config[f"{side}_vocab_size"])
        tokens.vocabularies[side] = pieces
        unknown = pieces.index(_UNK) if _UNK in pieces else None
        tokens.config["unk_token_id" if side == "target" else "source_unk_token_id"] = unknown
        tokens.config["tokenizer"][side] = "sentencepiece"
    tokens.files.update(files)
    return tokens


def _pieces(file: Path, size: object) -> list[str]:
    """The piece of each id; an id that has none gets a name that no text becomes."""
    found = read_object(file, TOKENIZER_LIMIT)
    # Compared before memory is taken for as many.
    if not isinstance(size, int) or not 0 < size <= 2 * len(found) + 1024:
        raise FormatError(f"{file} has {len(found)} pieces, but the vocabulary size is {size!r}")
    pieces: list[str | None] = [None] * size
    for piece, i in found.items():
        if not isinstance(i, int) or isinstance(i, bool) or not 0 <= i < size:
            raise FormatError(f"{file}: {piece!r:.80} has id {short(i)}, expected 0 to {size - 1}")
        if pieces[i] is not None:
            raise FormatError(f"{file}: {piece!r:.80} and {pieces[i]!r:.80} both have id {i}")
        pieces[i] = piece
    return [f"<id {i}>" if piece is None else piece for i, piece in enumerate(pieces)]


def _special(key: str, generation: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """An id as generation_config.json says, else config.json; -1 is how some say null."""
    value = generation.get(key)
    value = config.get(key) if value is None else value
    if isinstance(value, list) and all(isinstance(i, int) for i in value):
        value = list(dict.fromkeys(value))
    return None if value in (-1, []) else value


def _suppressed(path: Path, settings: Mapping[str, Any]) -> list[int]:
    """Ids that are never to be generated: suppress_tokens, and bad_words_ids of one token."""
    with damage_named(path):
        words = [[i] for i in settings.get("suppress_tokens") or []]
        words += settings.get("bad_words_ids") or []
    for word in words:
        if not isinstance(word, list) or not all(type(i) is int for i in word):
            raise FormatError(f"{path}: bad_words_ids has {short(word)}, expected ids")
        if len(word) != 1:
            raise Unsupported(f"{path}: bad_words_ids has {short(word)}, expected single tokens")
    return [word[0] for word in words]


def _first_added(file: Path, content: Mapping[str, Any]) -> int | None:
    """The id that the post-processor puts before a text, if any."""
    processor = content.get("post_processor") or {}
    parts = processor["processors"] if processor.get("type") == "Sequence" else [processor]
    for part in parts:
        if part.get("type") == "TemplateProcessing":
            kinds = [next(iter(item)) for item in part["single"]]
            before = kinds.index("Sequence")
            if before > 1:
                raise Unsupported(f"{file}: {before} tokens are put before a text, expected one")
            if before:
                name = part["single"][0]["SpecialToken"]["id"]
                (first,) = part["special_tokens"][name]["ids"]
                return int(first)
    return None


def _unknown(content: Mapping[str, Any]) -> int | None:
    """The id that stands for what the vocabulary lacks."""
    model = content["model"]
    if isinstance(model.get("unk_id"), int):  # unigram models
        return int(model["unk_id"])
    if not isinstance(model.get("unk_token"), str):
        return None
    found = model["vocab"].get(model["unk_token"])
    return None if found is None else int(found)


def _optional(file: Path, limit: int) -> dict[str, Any]:
    return read_object(file, limit) if file.exists() else {}
