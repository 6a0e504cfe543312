"""Makes config keys from the special tokens of speech models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

START, _TRANSLATE = "<|startoftranscript|>", "<|translate|>"
_TASKS = ("transcribe", "translate")
_ENGLISH_VOCABULARY = 51864  # size in English-only models; their tokens do not tell


def speech_tokens(ids: Mapping[str, int], vocab_size: object) -> dict[str, Any]:
    """Keys of the architecture "whisper" from the ids of special tokens.

    The languages stand between the start and the first task.
    """
    keys: dict[str, Any] = {
        "language_token_ids": {},
        "task_token_ids": {},
        "no_timestamps_token_id": ids.get("<|notimestamps|>"),
    }
    if vocab_size != _ENGLISH_VOCABULARY and START in ids and _TRANSLATE in ids:
        keys["language_token_ids"] = {
            token[2:-2]: i for token, i in ids.items() if ids[START] < i < ids[_TRANSLATE]
        }
        keys["task_token_ids"] = {
            task: ids[f"<|{task}|>"] for task in _TASKS if f"<|{task}|>" in ids
        }
    return keys
