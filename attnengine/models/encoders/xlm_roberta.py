"""XLM-R: RoBERTa for 100 languages (Conneau et al. 2020)."""

from __future__ import annotations

from attnengine.models.encoders import roberta
from attnengine.models.registry import register

build = register("xlm-roberta", config=roberta.Config)(roberta.build)
