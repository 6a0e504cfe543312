"""BERT."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family

BASE = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}
FAMILY = Family(
    config_class="BertConfig",
    model_class="BertModel",
    kind="encoder",
    base=BASE,
    variants={
        "plain": {},
        "gelu_new, epsilon 0.1": {"hidden_act": "gelu_new", "layer_norm_eps": 0.1},
    },
    wrong=[
        ("gelu_new, epsilon 0.1", {"hidden_act": "gelu"}),
        ("gelu_new, epsilon 0.1", {"layer_norm_eps": 1e-12}),
        ("plain", {"num_attention_heads": 2}),
    ],
    prefix="bert.",
    derived="pooler",
)
