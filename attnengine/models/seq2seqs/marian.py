"""Marian: the OPUS-MT translation models (Junczys-Dowmunt et al. 2018), a post-norm Transformer."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.registry import register
from attnengine.models.seq2seqs import bart
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(bart.Config):
    """Keys of Hugging Face's ``MarianConfig``."""

    share_encoder_decoder_embeddings: bool = True

    @property
    def separate_embeddings(self) -> bool:
        """Whether encoder and decoder have embeddings of their own."""
        return not self.share_encoder_decoder_embeddings


@register("marian", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from the weights of BART, without norms of embeddings."""
    layout = bart.Layout(positions="sinusoidal", position_layout="marian")
    return bart.build_alike(config, weights, layout)
