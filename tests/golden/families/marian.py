"""Marian."""

from __future__ import annotations

from tests.golden.families.bart import BASE, SIDES_DIFFER
from tests.golden.families.family import Family, encoder_decoder

FAMILY = Family(
    config_class="MarianConfig",
    model_class="MarianMTModel",
    kind="seq2seq",
    base={
        **BASE,
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
        "sides differ": SIDES_DIFFER,
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
    options=encoder_decoder,
    derived="embed_positions",
)
