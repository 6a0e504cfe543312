"""ELECTRA: BERT with embeddings that may be smaller than the layers (Clark et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.encoders import bert
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(bert.Config):
    """Keys of Hugging Face's ``ElectraConfig``."""

    embedding_size: int


@register("electra", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerEncoder:
    """Build from ``electra.*``: the encoder of the discriminator or the generator."""
    return bert.build_encoder(config, weights.under("electra"), config.embedding_size)
