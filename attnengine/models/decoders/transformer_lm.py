"""Decoder-only Transformer with Vaswani's layers: language models of OpenNMT and CTranslate2."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.parts.vocabulary import vocabulary_layers
from attnengine.models.registry import register
from attnengine.models.seq2seqs import transformer
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(transformer.Stack):
    """The config of a decoder's stack without a source."""

    vocab_size: int
    num_layers: int
    tied_output: bool


@register("transformer_lm", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``decoder.*`` and, unless tied, ``lm_head.*``, named as in "transformer"."""
    transformer.check(config)
    shape = config.vocab_size, config.hidden_size
    decoder = weights.under("decoder")
    embedding, output = vocabulary_layers(
        weights,
        decoder.matrix("embed_tokens.weight", *shape),
        None if config.tied_output else weights.matrix("lm_head.weight", *shape),
        weights.get("lm_head.bias", config.vocab_size),
    )
    return _core.TransformerDecoder(
        transformer.stack(config, decoder, embedding, config.num_layers),
        output,
        settings=weights.settings,
    )
