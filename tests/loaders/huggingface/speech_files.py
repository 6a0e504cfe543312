"""Writes a small transformers folder of a speech model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnengine.reference.random_weights import random_weights
from tests.loaders.huggingface.huggingface_files import (
    byte_level_tokenizer,
    write_json,
    write_safetensors,
)

SIZES: dict[str, Any] = {
    "vocab_size": 290,
    "num_mel_bins": 4,
    "d_model": 8,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 6,
    "decoder_layers": 1,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 10,
    "max_source_positions": 10,
    "max_target_positions": 12,
}
SPECIAL = [
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>"),
    *("<|transcribe|>", "<|notimestamps|>"),
]
FIRST = 270  # id of the first special token


def special_ids() -> dict[str, int]:
    return {token: FIRST + i for i, token in enumerate(SPECIAL)}


def tokenizer() -> dict[str, Any]:
    """GPT-2's bytes and the special tokens of speech models."""
    content = byte_level_tokenizer()
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    content["added_tokens"] = [
        {"id": i, "content": token, "special": True, **plain} for token, i in special_ids().items()
    ]
    return content


def write_whisper(folder: Path, *, with_tokenizer: bool = True, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    config = {
        "model_type": "whisper",
        **SIZES,
        "bos_token_id": FIRST,
        "eos_token_id": FIRST,
        "pad_token_id": FIRST,
        "decoder_start_token_id": FIRST + 1,
        "suppress_tokens": [1, 2],
        "begin_suppress_tokens": [3, FIRST],
        "median_filter_width": 7,
        "num_hidden_layers": 1,
        **changes,
    }
    write_json(folder / "config.json", config)
    write_safetensors(
        folder / "model.safetensors", random_weights({"architecture": "whisper", **SIZES}, 0)
    )
    if with_tokenizer:
        write_json(folder / "tokenizer.json", tokenizer())
    return folder
