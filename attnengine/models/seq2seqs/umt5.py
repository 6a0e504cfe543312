"""UMT5 (Chung et al. 2023): mT5 with its own position biases in every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from attnengine import _core
from attnengine.models.registry import register
from attnengine.models.seq2seqs import t5
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(t5.Config):
    """Keys of Hugging Face's ``UMT5Config``."""

    own_biases: ClassVar[bool] = True


@register("umt5", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from the weights of T5."""
    return t5.build_alike(config, weights)
