"""RoBERTa."""

from __future__ import annotations

from tests.golden.families import bert
from tests.golden.families.family import Family

# Prompts hold no padding token, because transformers does not count its positions.
FAMILY = Family(
    config_class="RobertaConfig",
    model_class="RobertaModel",
    kind="encoder",
    base=bert.BASE | {"type_vocab_size": 1, "pad_token_id": 3},
    variants={"plain": {}, "padding 8": {"pad_token_id": 8}},
    wrong=[("padding 8", {"pad_token_id": 3})],
    prefix="roberta.",
    derived="pooler",
)
