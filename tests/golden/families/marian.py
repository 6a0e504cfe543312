"""Marian."""

from __future__ import annotations

from typing import Any

from tests.golden.families.family import VOCAB, Config, Family


def options(config: Config) -> dict[str, Any]:
    """Vocabulary sizes under transformers' names, and special tokens of this vocabulary."""
    given = dict(config)
    given["vocab_size"] = given.pop("source_vocab_size")
    given["decoder_vocab_size"] = given.pop("target_vocab_size")
    return given | {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}


FAMILY = Family(
    config_class="MarianConfig",
    model_class="MarianMTModel",
    kind="seq2seq",
    base={
        "source_vocab_size": VOCAB,
        "target_vocab_size": VOCAB,
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "max_position_embeddings": 64,
        "activation_function": "swish",
        "scale_embedding": True,
        "share_encoder_decoder_embeddings": True,
    },
    variants={
        "plain": {},
        "separate vocabularies": {
            "source_vocab_size": 50,
            "share_encoder_decoder_embeddings": False,
        },
        "sides differ": {
            "encoder_layers": 1,
            "decoder_attention_heads": 2,
            "decoder_ffn_dim": 40,
        },
        "separate vocabularies, untied": {
            "target_vocab_size": 50,
            "share_encoder_decoder_embeddings": False,
            "tie_word_embeddings": False,
        },
        "relu, not scaled": {"activation_function": "relu", "scale_embedding": False},
        "gelu": {"activation_function": "gelu"},
    },
    wrong=[
        ("relu, not scaled", {"scale_embedding": True}),
        ("sides differ", {"decoder_attention_heads": 4}),
    ],
    options=options,
    derived="embed_positions",
)
