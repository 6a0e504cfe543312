"""BART."""

from __future__ import annotations

from typing import Any

from tests.golden.families.family import VOCAB, Family, encoder_decoder

BASE = {
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
    "activation_function": "gelu",
    "scale_embedding": False,
}
# Changes that all families of this kind share.
SIDES_DIFFER = {"encoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 40}
SCALED = {"scale_embedding": True}
UNTIED = {"tie_word_embeddings": False}

_VARIANTS = {
    "plain": {},
    "sides differ": SIDES_DIFFER,
    "relu, scaled": {"activation_function": "relu", **SCALED},
    "untied": UNTIED,
}
_WRONG = (
    ("relu, scaled", {"scale_embedding": False}),
    ("plain", {"activation_function": "relu"}),
)


def like_bart(name: str, **more: Any) -> Family:
    """A family with BART's variants; `name` is the prefix of its classes, as in ``NameConfig``."""
    return Family(
        config_class=f"{name}Config",
        model_class=f"{name}ForConditionalGeneration",
        kind="seq2seq",
        base=BASE,
        variants=_VARIANTS,
        options=encoder_decoder,
        **{"wrong": _WRONG, **more},
    )


FAMILY = like_bart("Bart", wrong=[*_WRONG, ("sides differ", {"decoder_attention_heads": 4})])
