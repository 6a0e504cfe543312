"""Whisper."""

from __future__ import annotations

from typing import Any

from tests.golden.families.family import VOCAB, Config, Family

# The decoder's prompt; the engine reads these keys, the model ignores them.
PROMPT: dict[str, Any] = {
    "language_token_ids": {"en": 4},
    "task_token_ids": {"transcribe": 5},
    "no_timestamps_token_id": 6,
}


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class, without the prompt, with tokens of this vocabulary."""
    given = {key: value for key, value in config.items() if key not in PROMPT}
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    return given | special | {"decoder_start_token_id": 0}


FAMILY = Family(
    config_class="WhisperConfig",
    model_class="WhisperForConditionalGeneration",
    kind="speech",
    base={
        "vocab_size": VOCAB,
        "num_mel_bins": 10,
        "d_model": 32,
        "encoder_layers": 2,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_layers": 2,
        "decoder_attention_heads": 4,
        "decoder_ffn_dim": 48,
        "max_source_positions": 32,
        "max_target_positions": 64,
        **PROMPT,
    },
    variants={
        "plain": {},
        "sides differ": {
            "encoder_layers": 1,
            "decoder_attention_heads": 2,
            "decoder_ffn_dim": 40,
        },
        "untied, relu": {"tie_word_embeddings": False, "activation_function": "relu"},
    },
    wrong=[
        ("sides differ", {"decoder_attention_heads": 4}),
        ("untied, relu", {"activation_function": "gelu"}),
    ],
    options=options,
)
