"""M2M-100 and NLLB."""

from __future__ import annotations

from tests.golden.families.bart import BASE, SIDES_DIFFER, UNTIED
from tests.golden.families.family import Family, encoder_decoder

PADDING = 3  # absent from prompts: transformers gives padding no position

FAMILY = Family(
    config_class="M2M100Config",
    model_class="M2M100ForConditionalGeneration",
    kind="seq2seq",
    base={**BASE, "activation_function": "relu", "scale_embedding": True, "pad_token_id": PADDING},
    variants={
        "plain": {},
        "sides differ": SIDES_DIFFER,
        "gelu, not scaled": {"activation_function": "gelu", "scale_embedding": False},
        "untied": UNTIED,
    },
    wrong=[
        ("gelu, not scaled", {"scale_embedding": True}),
        ("plain", {"activation_function": "gelu"}),
        ("plain", {"pad_token_id": PADDING + 1}),
    ],
    options=encoder_decoder,
)
