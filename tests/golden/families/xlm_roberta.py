"""XLM-R."""

from __future__ import annotations

from dataclasses import replace

from tests.golden.families import roberta

FAMILY = replace(
    roberta.FAMILY,
    model_type="xlm-roberta",
    config_class="XLMRobertaConfig",
    model_class="XLMRobertaModel",
    variants={"plain": {}},
    wrong=[],
)
