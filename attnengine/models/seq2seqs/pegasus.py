"""Pegasus (Zhang et al. 2020): Marian's positions, norms before the blocks and after the last."""

from __future__ import annotations

from attnengine import _core
from attnengine.models.registry import register
from attnengine.models.seq2seqs import bart
from attnengine.models.weights import Weights


@register("pegasus", config=bart.Config)
def build(config: bart.Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from the weights of BART, without norms of embeddings."""
    layout = bart.Layout(
        norm_placement="pre",
        final_norm=True,
        positions="sinusoidal",
        position_layout="marian",
    )
    return bart.build_alike(config, weights, layout)
