"""CamemBERT: RoBERTa for French (Martin et al. 2020)."""

from __future__ import annotations

from attnengine.models.encoders import roberta
from attnengine.models.registry import register

build = register("camembert", config=roberta.Config)(roberta.build)
