"""DistilBERT."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family

FAMILY = Family(
    config_class="DistilBertConfig",
    model_class="DistilBertModel",
    kind="encoder",
    base={
        "vocab_size": VOCAB,
        "dim": 32,
        "hidden_dim": 48,
        "n_layers": 2,
        "n_heads": 4,
        "max_position_embeddings": 64,
    },
    variants={"plain": {}, "relu": {"activation": "relu"}},
    wrong=[("relu", {"activation": "gelu"}), ("plain", {"n_heads": 8})],
    prefix="distilbert.",
)
