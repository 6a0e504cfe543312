"""Whisper folders that transformers writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError
from tests.loaders.huggingface.huggingface_files import write_json
from tests.loaders.huggingface.speech_files import FIRST, SIZES, special_ids, write_whisper


def mel(frames: int = 20) -> Any:
    return np.random.default_rng(0).normal(size=(4, frames)).astype(np.float32)


def test_a_folder(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_whisper(tmp_path))
    expected = {
        **SIZES,
        "architecture": "whisper",
        "tokenizer": "tokenizers",
        "decoder_start_token_id": FIRST + 1,
        "eos_token_id": FIRST,
        "suppress_tokens": [1, 2],
        "begin_suppress_tokens": [3, FIRST],
        "language_token_ids": {"en": FIRST + 2, "de": FIRST + 3},
        "task_token_ids": {"transcribe": FIRST + 5, "translate": FIRST + 4},
        "no_timestamps_token_id": FIRST + 6,
        "tie_word_embeddings": True,
    }
    assert {key: checkpoint.config[key] for key in expected} == expected
    model = ae.load(tmp_path)
    assert isinstance(model, ae.SpeechToText)
    found = model.transcribe(mel(), language="de", task="translate")
    assert not {FIRST + i for i in range(2, 7)} & set(found.windows[0].hypotheses[0].ids[:1])


def test_without_a_tokenizer(tmp_path: Path) -> None:
    write_whisper(tmp_path, with_tokenizer=False)
    config = loaders.load(tmp_path).config
    assert (config["tokenizer"], config["language_token_ids"]) == ("none", {})
    ids = special_ids()
    generation = {
        "lang_to_id": {"<|en|>": ids["<|en|>"], "<|de|>": ids["<|de|>"]},
        "task_to_id": {"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "begin_suppress_tokens": [7],
    }
    write_json(tmp_path / "generation_config.json", generation)
    config = loaders.load(tmp_path).config
    assert config["language_token_ids"] == {"en": FIRST + 2, "de": FIRST + 3}
    assert config["task_token_ids"] == {"transcribe": FIRST + 5, "translate": FIRST + 4}
    assert (config["no_timestamps_token_id"], config["begin_suppress_tokens"]) == (
        FIRST + 6,
        [3, 7, FIRST],
    )


@pytest.mark.parametrize("key", ["scale_embedding", "use_weighted_layer_sum", "new_key"])
def test_switches_that_are_refused(tmp_path: Path, key: str) -> None:
    write_whisper(tmp_path, **{key: True})
    with pytest.raises(FormatError, match=f"'{key}' is no key of 'whisper'"):
        ae.load(tmp_path)
