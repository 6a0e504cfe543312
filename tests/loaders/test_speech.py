from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ctranslate2_files import SPEECH, encoder, model_bytes, whisper, write_one_vocabulary
from huggingface_files import write_json
from speech_files import FIRST, SIZES, special_ids, write_whisper

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError, Unsupported

CTRANSLATE2 = {
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


def test_ctranslate2(tmp_path: Path) -> None:
    checkpoint = loaders.load(write(tmp_path))
    assert {key: checkpoint.config[key] for key in CTRANSLATE2} == CTRANSLATE2
    assert checkpoint.vocabularies["vocabulary"].tokens == tuple(SPEECH)
    model = ae.load(tmp_path)
    assert isinstance(model, ae.SpeechToText)
    assert model.transcribe(mel(), language="de").text.split()


def test_ctranslate2_ties_the_output(tmp_path: Path) -> None:
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
def test_ctranslate2_that_does_not_fit(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    variables = whisper() | {
        name: np.asarray(value, np.float32) if np.ndim(value) else np.array(value)
        for name, value in changes.items()
    }
    with pytest.raises(error, match=message):
        loaders.load(write(tmp_path, variables))


def test_ctranslate2_without_a_start(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "vocabulary.json").write_text(json.dumps([f"t{i}" for i in range(9)]))
    with pytest.raises(FormatError, match=r"the vocabulary has no <\|startoftranscript\|>"):
        loaders.load(tmp_path)


def test_transformers(tmp_path: Path) -> None:
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


def test_transformers_without_a_tokenizer(tmp_path: Path) -> None:
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
def test_transformers_switches_that_are_refused(tmp_path: Path, key: str) -> None:
    write_whisper(tmp_path, **{key: True})
    with pytest.raises(FormatError, match=f"'{key}' is no key of 'whisper'"):
        ae.load(tmp_path)


def test_converting_keeps_the_numbers(tmp_path: Path) -> None:
    write(tmp_path / "old")
    loaders.convert(tmp_path / "old", tmp_path / "new")
    old, new = ae.load(tmp_path / "old"), ae.load(tmp_path / "new")
    assert isinstance(old, ae.SpeechToText)
    assert isinstance(new, ae.SpeechToText)
    assert new.transcribe(mel()) == old.transcribe(mel())


def test_an_encoder_of_ctranslate2(tmp_path: Path) -> None:
    write_one_vocabulary(tmp_path, encoder(), "TransformerEncoderSpec")
    checkpoint = loaders.load(tmp_path)
    expected = {
        "architecture": "bert",
        "vocab_size": 6,
        "type_vocab_size": 2,
        "max_position_embeddings": 10,
        "num_attention_heads": 2,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
        "pooling": "mean",
    }
    assert {key: checkpoint.config[key] for key in expected} == expected
    model = ae.load(tmp_path)
    assert isinstance(model, ae.Encoder)
    assert model.encode("x y").shape == (8,)
    variables = encoder() | {"encoder/pre_norm": np.array(np.int8(1))}
    write_one_vocabulary(tmp_path, variables, "TransformerEncoderSpec")
    with pytest.raises(Unsupported, match="scaled embeddings or pre-norm"):
        loaders.load(tmp_path)
