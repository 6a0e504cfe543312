"""mBART and mBART-50 (Liu et al. 2020): BART with norms before the blocks and after the last."""

from __future__ import annotations

from attnengine import _core
from attnengine.models.registry import register
from attnengine.models.seq2seqs import bart
from attnengine.models.weights import Weights


@register("mbart", config=bart.Config)
def build(config: bart.Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from the weights of BART and ``layer_norm`` of both sides."""
    layout = bart.Layout(
        norm_placement="pre", final_norm=True, embedding_norm=True, position_offset=2
    )
    return bart.build_alike(config, weights, layout)
