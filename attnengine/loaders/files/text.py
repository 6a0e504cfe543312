"""Reads text and JSON files up to a limit."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError
from attnengine.loaders.files.damage import damage_named, short

CONFIG_LIMIT = 1 << 20  # bytes of JSON; the parsed value takes up to 25 times more
VOCABULARY_LIMIT = 1 << 24
TOKENIZER_LIMIT = 1 << 26  # tokenizer.json: Llama 3 has 17 MB


def read_text(path: Path, limit: int) -> str:
    """Read a UTF-8 file of at most `limit` bytes."""
    if not path.is_file():
        raise FormatError(f"{path} is missing or not a file")
    with damage_named(path):
        size = path.stat().st_size
        if size > limit:
            raise FormatError(f"{path} has {size} bytes, expected up to {limit}")
        return path.read_text(encoding="utf-8")


def read_json(path: Path, limit: int) -> Any:
    """Parse a JSON file of at most `limit` bytes; a duplicate key is an error."""
    text = read_text(path, limit)
    with damage_named(path):
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)


def read_object(path: Path, limit: int) -> dict[str, Any]:
    """Parse a JSON file that holds an object."""
    value = read_json(path, limit)
    if not isinstance(value, dict):
        raise FormatError(f"{path} holds {short(value)}, expected a JSON object")
    return value


def read_optional(path: Path, limit: int = CONFIG_LIMIT) -> dict[str, Any]:
    """Parse a JSON file; return an empty object if it is missing."""
    return read_object(path, limit) if path.exists() else {}


def token_list(value: object, where: str) -> list[str]:
    """Check that a value from a file is a list of strings."""
    if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
        raise FormatError(f"{where} is {short(value)}, expected a list of strings")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"key {twice!r} stands twice")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
