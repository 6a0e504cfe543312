"""RoBERTa: BERT with positions that begin after the padding position (Liu et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass, field

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.encoders import bert
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(bert.Config):
    """Keys of Hugging Face's ``RobertaConfig``."""

    pad_token_id: int = field(metadata={"minimum": 0})


@register("roberta", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerEncoder:
    """Build from ``roberta.*``; the first token has position ``pad_token_id`` + 1."""
    if config.pad_token_id + 1 >= config.max_position_embeddings:
        raise FormatError(
            f"config: 'pad_token_id' is {config.pad_token_id}, expected less than "
            f"'max_position_embeddings' {config.max_position_embeddings} - 1"
        )
    return bert.build_encoder(
        config,
        weights.under("roberta"),
        config.hidden_size,
        first_position=config.pad_token_id + 1,
    )
