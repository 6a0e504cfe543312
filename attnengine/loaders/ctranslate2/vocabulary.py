"""The vocabularies and special tokens of CTranslate2's models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.mapped import MappedFile
from attnengine.loaders.files.text import VOCABULARY_LIMIT, read_json, token_list


def read_vocabulary(path: Path, name: str, size: int, unk: str | None) -> list[str]:
    """Read tokens from `name`.json or, one per line, `name`.txt; append `unk` if it is missing."""
    file = path / f"{name}.json"
    if file.is_file():
        tokens = token_list(read_json(file, VOCABULARY_LIMIT), str(file))
    else:
        file = path / f"{name}.txt"
        tokens = _lines(file, size)
    if unk is not None and unk not in tokens and len(tokens) < size:
        tokens = [*tokens, unk]
    if len(tokens) != size:
        raise FormatError(f"{file} has {len(tokens)} tokens with {unk}, expected {size}")
    if len(set(tokens)) < size:  # CTranslate2 uses the first id, attnengine the last
        raise Unsupported(f"{file}: a token stands twice")
    return tokens


def _lines(path: Path, size: int) -> list[str]:
    file = MappedFile(path)
    if file.size > VOCABULARY_LIMIT:
        raise FormatError(f"{path} has {file.size} bytes, expected up to {VOCABULARY_LIMIT}")
    with damage_named(path):
        text = bytes(file.view(0, file.size, "the vocabulary")).decode("utf-8")
    if text.count("\n") > size:
        raise FormatError(f"{path} has {text.count(chr(10))} lines, expected up to {size}")
    tokens = text.split("\n")
    if tokens[-1] == "":
        tokens.pop()
    # If all lines end in \r, these are line ends of Windows; else \r belongs to the tokens.
    if all(token.endswith("\r") for token in tokens):
        tokens = [token[:-1] for token in tokens]
    return tokens


def special_ids(
    config: Mapping[str, Any], tokens: Sequence[str], prefix: str = ""
) -> dict[str, Any]:
    """Return the ids of special tokens in a vocabulary; None if it lacks one."""
    ids: dict[Any, int] = {token: i for i, token in enumerate(tokens)}
    named = {name: config.get(f"{name}_token") for name in ("bos", "eos", "unk")}
    named["pad"] = names.PAD
    return {f"{prefix}{name}_token_id": ids.get(token) for name, token in named.items()}


def tokenizer(path: Path) -> tuple[str, dict[str, Path]]:
    """Return the kind of tokenizer and its files: tokenizer.json if it exists, else words."""
    file = path / schema.TOKENIZER_FILE
    if not file.is_file():
        return "words", {}
    return "tokenizers", {schema.TOKENIZER_FILE: file}
