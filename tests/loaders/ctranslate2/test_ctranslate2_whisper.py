"""CTranslate2 folders that hold a Whisper model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.ctranslate2.ctranslate2_files import (
    SPEECH,
    model_bytes,
    whisper,
    write_one_vocabulary,
)

CONFIG = {
    "vocab_size": 9,
    "num_mel_bins": 4,
    "d_model": 8,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 6,
    "decoder_layers": 1,
    "decoder_attention_heads": 8,
    "decoder_ffn_dim": 6,
    "max_source_positions": 10,
    "max_target_positions": 12,
    "decoder_start_token_id": 3,
    "eos_token_id": 2,
    "language_token_ids": {"en": 4, "de": 5},
    "task_token_ids": {"transcribe": 7, "translate": 6},
    "no_timestamps_token_id": 8,
    "suppress_tokens": [0, 1],
    "begin_suppress_tokens": [2],
    "tie_word_embeddings": False,
    "tokenizer": "words",
}


def write(folder: Path, variables: dict[str, Any] | None = None) -> Path:
    return write_one_vocabulary(folder, variables or whisper(), "WhisperSpec")


def mel(frames: int = 20) -> Any:
    return np.random.default_rng(0).normal(size=(4, frames)).astype(np.float32)


def test_a_folder(tmp_path: Path) -> None:
    checkpoint = loaders.load(write(tmp_path))
    assert {key: checkpoint.config[key] for key in CONFIG} == CONFIG
    assert checkpoint.vocabularies["vocabulary"].tokens == tuple(SPEECH)
    model = ae.load(tmp_path)
    assert isinstance(model, ae.SpeechToText)
    assert model.transcribe(mel(), language="de").text.split()


def test_ties_the_output(tmp_path: Path) -> None:
    variables = whisper()
    write(tmp_path, variables)
    del variables["decoder/projection/weight"]
    aliases = {"decoder/projection/weight": "decoder/embeddings/weight"}
    data = model_bytes(variables, 6, "WhisperSpec", 3, aliases)
    (tmp_path / "model.bin").write_bytes(data)
    checkpoint = loaders.load(tmp_path)
    assert checkpoint.config["tie_word_embeddings"] is True
    assert "proj_out.weight" not in checkpoint.tensors


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"decoder/scale_embeddings": np.int8(1)}, Unsupported, "scaled embeddings or post-norm"),
        ({"decoder/activation": np.int8(0)}, Unsupported, "an activation that is not gelu"),
        ({"decoder/alibi": np.int8(1)}, Unsupported, "alibi is 1, expected 0"),
        ({"encoder/conv3/weight": np.ones((2, 2))}, Unsupported, "'encoder/conv3/weight' belongs"),
        ({"encoder/conv1/weight": np.ones((8, 12), np.float32)}, FormatError, "conv1/weight is mi"),
    ],
)
def test_variables_that_do_not_fit(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    variables = whisper() | {
        name: np.asarray(value, np.float32) if np.ndim(value) else np.array(value)
        for name, value in changes.items()
    }
    with pytest.raises(error, match=message):
        loaders.load(write(tmp_path, variables))


def test_a_vocabulary_without_a_start(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "vocabulary.json").write_text(json.dumps([f"t{i}" for i in range(9)]))
    with pytest.raises(FormatError, match=r"the vocabulary has no <\|startoftranscript\|>"):
        loaders.load(tmp_path)


def test_converting_keeps_the_numbers(tmp_path: Path) -> None:
    write(tmp_path / "old")
    loaders.convert(tmp_path / "old", tmp_path / "new")
    old, new = ae.load(tmp_path / "old"), ae.load(tmp_path / "new")
    assert isinstance(old, ae.SpeechToText)
    assert isinstance(new, ae.SpeechToText)
    assert new.transcribe(mel()) == old.transcribe(mel())
