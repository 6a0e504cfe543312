"""T5, v1.0 and v1.1."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, encoder_decoder

BASE = {
    "source_vocab_size": VOCAB,
    "target_vocab_size": VOCAB,
    "d_model": 32,
    "d_kv": 6,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 12,
    "relative_attention_max_distance": 20,
    "layer_norm_epsilon": 1e-6,
}
SIDES_DIFFER = {"num_layers": 3, "num_decoder_layers": 1}


FAMILY = Family(
    config_class="T5Config",
    model_class="T5ForConditionalGeneration",
    kind="seq2seq",
    base={**BASE, "feed_forward_proj": "relu"},
    variants={
        "plain": {},
        "v1.1": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
        "sides differ": SIDES_DIFFER,
        "gated silu, 8 buckets": {
            "feed_forward_proj": "gated-silu",
            "relative_attention_num_buckets": 8,
            "relative_attention_max_distance": 33,
        },
    },
    wrong=[
        ("plain", {"scale_decoder_outputs": False}),
        ("plain", {"relative_attention_max_distance": 40}),
        ("v1.1", {"dense_act_fn": "gelu"}),
    ],
    options=encoder_decoder,
)
