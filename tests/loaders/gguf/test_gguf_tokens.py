"""Special tokens and chat template of a GGUF file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.gguf.gguf_files import TOKENIZER, VOCABULARY, write_llama_gguf


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    keys = {f"tokenizer.ggml.{key}": value for key, value in changes.items()}
    return loaders.load(write_llama_gguf(folder, **keys)).config


def test_special_tokens(tmp_path: Path) -> None:
    found = config(tmp_path, padding_token_id=7, eot_token_id=5, unknown_token_id=3)
    assert [found[f"{key}_token_id"] for key in ("bos", "eos", "pad", "unk")] == [
        1,
        [0, 5],
        7,
        None,
    ]
    found = config(tmp_path, bos_token_id=1 << 31, eos_token_id=..., padding_token_id=np.int32(-1))
    assert [found[f"{key}_token_id"] for key in ("bos", "eos", "pad")] == [None, None, None]
    with pytest.raises(FormatError, match=r"bos_token_id is 1.0, expected int"):
        config(tmp_path, bos_token_id=1.0)


@pytest.mark.parametrize(
    ("given", "pre", "expected"),
    [
        (..., "gpt-2", False),
        (..., "llama-bpe", True),
        (True, "gpt-2", True),
        (False, "llama-bpe", False),
    ],
)
def test_the_begin_token(tmp_path: Path, given: Any, pre: str, expected: bool) -> None:
    assert config(tmp_path, add_bos_token=given, pre=pre)["add_bos"] is expected


def test_chat_templates(tmp_path: Path) -> None:
    found = config(tmp_path)
    assert found["chat_template"] == TOKENIZER["tokenizer.chat_template"]
    found = loaders.load(
        write_llama_gguf(tmp_path, **{"tokenizer.chat_template.tools": "?"})
    ).config
    assert found["chat_template"] == {
        "default": TOKENIZER["tokenizer.chat_template"],
        "tools": "?",
    }
    found = loaders.load(write_llama_gguf(tmp_path, **{"tokenizer.chat_template": ...})).config
    assert "chat_template" not in found


def test_what_is_refused(tmp_path: Path) -> None:
    for changes, message in (
        ({"model": "rwkv"}, "tokenizer.ggml.model is 'rwkv', expected one of gpt2, llama, bert"),
        ({"add_eos_token": True}, "add_eos_token is true, expected false"),
    ):
        with pytest.raises(Unsupported, match=message):
            config(tmp_path, **changes)
    for changes, message in (
        ({"merges": 5}, "tokenizer.ggml.merges is 5, expected a list of strings"),
        (
            {"token_type": np.zeros(3, np.int32)},
            r"token_type is .* expected one number for each of the",
        ),
        ({"tokens": ["a", "b"], "token_type": ...}, "tokens has 2, expected 261"),
        ({"tokens": ["a" * 513, *VOCABULARY[1:]]}, "has one of 513 characters, expected at most"),
    ):
        with pytest.raises(FormatError, match=message):
            config(tmp_path, **changes)


def test_without_a_tokenizer(tmp_path: Path) -> None:
    without = dict.fromkeys(TOKENIZER, ...)
    for changes in (without, {**without, "tokenizer.ggml.model": "no_vocab"}):
        checkpoint = loaders.load(write_llama_gguf(tmp_path, **changes))
        assert checkpoint.config["tokenizer"] == "none"
        assert checkpoint.tokenizer_files == {}
    assert json.dumps(checkpoint.config)
