"""M2M-100 (Fan et al. 2021) and NLLB (2022): pre-norm, fairseq's sinusoidal positions."""

from __future__ import annotations

from dataclasses import dataclass, field

from attnengine import _core
from attnengine.models.registry import register
from attnengine.models.seq2seqs import bart
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(bart.Config):
    """Keys of Hugging Face's ``M2M100Config``."""

    pad_token_id: int = field(default=1, metadata={"minimum": 0})


@register("m2m_100", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from BART's weights without the norms of embeddings and the output bias.

    The first position is the padding token's id + 1, as in fairseq.
    """
    layout = bart.Layout(
        norm_placement="pre",
        final_norm=True,
        positions="sinusoidal",
        position_layout="halves",
        position_offset=config.pad_token_id + 1,
    )
    return bart.build_alike(config, weights, layout)
