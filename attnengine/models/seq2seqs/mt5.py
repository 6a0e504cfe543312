"""mT5 (Xue et al. 2021): T5 v1.1 in 101 languages."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.registry import register
from attnengine.models.seq2seqs import t5
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(t5.FamilyConfig):
    """Keys of Hugging Face's ``MT5Config``."""

    @property
    def scaled(self) -> bool:
        """False for any ``tie_word_embeddings``, because version 5 always writes true."""
        return False


@register("mt5", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from the weights of T5."""
    return t5.build_alike(config, weights)
