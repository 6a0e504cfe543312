"""UMT5."""

from __future__ import annotations

from tests.golden.families.family import Family, encoder_decoder
from tests.golden.families.t5 import BASE, SIDES_DIFFER

FAMILY = Family(
    config_class="UMT5Config",
    model_class="UMT5ForConditionalGeneration",
    kind="seq2seq",
    base={**BASE, "feed_forward_proj": "gated-gelu"},
    variants={"plain": {}, "sides differ": SIDES_DIFFER},
    wrong=[
        ("plain", {"scale_decoder_outputs": False}),
        ("plain", {"relative_attention_max_distance": 40}),
    ],
    options=encoder_decoder,
)
