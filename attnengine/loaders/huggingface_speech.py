"""The special tokens and the tokenizer of a transformers folder of a speech model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.loaders import schema
from attnengine.loaders.files import TOKENIZER_LIMIT, damage_named, read_object
from attnengine.loaders.speech import START, speech_tokens


def speech_config(
    path: Path, generation: Mapping[str, Any], given: Mapping[str, Any], start: Any
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Config keys and files: what prompts the decoder, and what a text may not begin with.

    generation, given: generation_config.json and config.json. start: the decoder start token.
    """
    file = path / schema.TOKENIZER_FILE
    files = {schema.TOKENIZER_FILE: file} if file.is_file() else {}
    ids: dict[str, int] = {}
    if files:
        content = read_object(file, TOKENIZER_LIMIT)
        with damage_named(file):
            ids = {token["content"]: token["id"] for token in content["added_tokens"]}
    with damage_named(path):
        ids.update(generation.get("lang_to_id") or {})
        tasks = generation.get("task_to_id") or {}
        ids.update({f"<|{task}|>": i for task, i in tasks.items()})
        if generation.get("no_timestamps_token_id") is not None:
            ids["<|notimestamps|>"] = generation["no_timestamps_token_id"]
        if start is not None:
            ids[START] = start
        begin = generation.get("begin_suppress_tokens", given.get("begin_suppress_tokens"))
        config = {
            "tokenizer": "tokenizers" if files else "none",
            "begin_suppress_tokens": begin or None,
            **speech_tokens(ids, given.get("vocab_size")),
        }
    return config, files
