"""Pegasus."""

from __future__ import annotations

from tests.golden.families.bart import BASE, SCALED, SIDES_DIFFER, UNTIED
from tests.golden.families.family import Family, encoder_decoder

FAMILY = Family(
    config_class="PegasusConfig",
    model_class="PegasusForConditionalGeneration",
    kind="seq2seq",
    base=BASE,
    variants={
        "plain": {},
        "sides differ": SIDES_DIFFER,
        "relu, scaled": {"activation_function": "relu", **SCALED},
        "untied": UNTIED,
    },
    wrong=[
        ("relu, scaled", {"scale_embedding": False}),
        ("plain", {"activation_function": "relu"}),
    ],
    options=encoder_decoder,
    derived="embed_positions",
)
