"""Vocabularies of Marian and Nematus: tokens and ids, a token a line, SentencePiece models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files import sentencepiece_model, yaml_text
from attnengine.loaders.files.damage import short
from attnengine.loaders.files.text import VOCABULARY_LIMIT, read_object, read_text
from attnengine.loaders.marian import nematus_names as names
from attnengine.loaders.schema import SENTENCEPIECE_FILES, seq2seq_tokens

_Tokens = list[str] | None
_NUMBER_DIGITS = 9


@dataclass(frozen=True)
class Sides:
    """Tokens of source and target by id; None: ids only."""

    source: _Tokens
    target: _Tokens
    files: Mapping[str, Path] = field(default_factory=dict)  # SentencePiece models

    def with_start(self) -> dict[str, list[str]]:
        """Return both vocabularies, with the start token at the end of the target's."""
        if self.source is None or self.target is None:
            return {}
        return {"source": self.source, "target": [*self.target, names.START]}

    def config(self, start: int) -> dict[str, Any]:
        """Return the config keys of tokenizers and special tokens."""

        def kind(side: str, tokens: _Tokens) -> str:
            if SENTENCEPIECE_FILES[side] in self.files:
                return "sentencepiece"
            return "none" if tokens is None else "words"

        return {
            **seq2seq_tokens(
                {"source": kind("source", self.source), "target": kind("target", self.target)},
                start=start,
                source=(None, *_special(self.source)),
                target=(start, *_special(self.target)),
                add_source_eos=True,
            ),
            "suppress_tokens": [start],
        }


def _special(tokens: _Tokens) -> tuple[int, None, int]:
    """Return the ids of the end, padding and unknown tokens."""

    def find(spellings: Sequence[str], default: int) -> int:
        found = [tokens.index(name) for name in spellings if name in tokens] if tokens else []
        return found[0] if found else default

    return find(names.EOS_TOKENS, names.EOS_ID), None, find(names.UNK_TOKENS, names.UNK_ID)


def read_sides(path: Path, sizes: Sequence[int]) -> Sides:
    """Read the vocabularies that .yml files beside a Marian model name; without them ids only."""
    for config in (
        path.with_name(path.name + ".decoder.yml"),
        path.with_name(path.name + ".yml"),
        path.with_name("decoder.yml"),
    ):
        if config.is_file():
            value = yaml_text.parse(read_text(config, VOCABULARY_LIMIT), str(config))
            files = value.get("vocabs") if isinstance(value, dict) else None
            if not isinstance(files, list) or len(files) != 2:
                raise FormatError(f"{config}: vocabs are {short(files)}, expected two files")
            tokens = [read_vocabulary(path, *pair) for pair in zip(files, sizes, strict=True)]
            return Sides(tokens[0], tokens[1], _pieces(path, files))
    return Sides(None, None)


def _pieces(path: Path, vocabularies: Sequence[object]) -> dict[str, Path]:
    """Return SentencePiece models: the vocabularies themselves, or files beside them (OPUS-MT)."""
    sides = SENTENCEPIECE_FILES.values()
    if all(str(file).endswith(".spm") for file in vocabularies):
        return {name: _beside(path, file) for name, file in zip(sides, vocabularies, strict=True)}
    files = {name: path.with_name(name) for name in sides}
    return files if all(file.is_file() for file in files.values()) else {}


def read_vocabulary(path: Path, file: object, size: int) -> list[str]:
    """Read the tokens of a file beside the model; the model does not know ids from `size` on."""
    found = _beside(path, file)
    if found.suffix == ".fsv":
        raise Unsupported(f"{found} has factors, expected a .yml, .json, .spm or plain text")
    if found.suffix == ".spm":
        pieces = sentencepiece_model.read(found).pieces
        return _of_size([piece.text for piece in pieces], size)
    if found.suffix in (".yml", ".yaml"):
        text = read_text(found, VOCABULARY_LIMIT)
        return _by_id(found, yaml_text.parse(text, str(found), unique=False), size)
    if found.suffix == ".json" or _is_object(found):
        return _by_id(found, read_object(found, VOCABULARY_LIMIT), size)
    return _of_size(read_text(found, VOCABULARY_LIMIT).split("\n"), size)


def _of_size(tokens: list[str], size: int) -> list[str]:
    return tokens[:size] + [""] * (size - len(tokens))


def _beside(path: Path, file: object) -> Path:
    """Return the file with this name in the model's folder, for any path in training."""
    if not isinstance(file, str):
        raise FormatError(f"{path}: a vocabulary is {short(file)}, expected the name of a file")
    return path.with_name(PureWindowsPath(PurePosixPath(file).name).name or "vocabulary")


def _is_object(file: Path) -> bool:
    """Whether a file starts like JSON; Nematus' files may have any name."""
    return read_text(file, VOCABULARY_LIMIT).lstrip().startswith("{")


def _by_id(file: Path, ids: object, size: int) -> list[str]:
    if not isinstance(ids, dict):
        raise FormatError(f"{file} holds {short(ids)}, expected a table of tokens and ids")
    tokens = [""] * size
    for token, value in ids.items():
        text = str(value)
        if not isinstance(token, str) or not text.isdecimal() or len(text) > _NUMBER_DIGITS:
            raise FormatError(
                f"{file}: the id of {short(token)} is {short(value)}, expected a number"
            )
        if int(text) < size:
            tokens[int(text)] = token
    return tokens
