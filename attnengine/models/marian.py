"""Marian: the OPUS-MT translation models (Junczys-Dowmunt et al. 2018), a post-norm Transformer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models import transformer
from attnengine.models.blocks import ActivationName, activation
from attnengine.models.registry import Floats, Weights, register


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``MarianConfig``."""

    source_vocab_size: int
    target_vocab_size: int
    d_model: int
    encoder_layers: int
    decoder_layers: int
    encoder_attention_heads: int
    decoder_attention_heads: int
    encoder_ffn_dim: int
    decoder_ffn_dim: int
    max_position_embeddings: int
    activation_function: ActivationName = "gelu"
    scale_embedding: bool = False
    share_encoder_decoder_embeddings: bool = True
    tie_word_embeddings: bool = True


@register("marian", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from ``model.*``, ``final_logits_bias`` and, unless tied, ``lm_head.weight``."""
    model = weights.under("model")
    source, target = embeddings(config, model)
    tied = config.tie_word_embeddings
    output = target if tied else weights.take("lm_head.weight", *target.shape)
    bias = weights.take("final_logits_bias", 1, config.target_vocab_size)[0]
    encoder, decoder = (side(config, name) for name in ("encoder", "decoder"))
    return _core.TransformerSeq2Seq(
        encoder=_core.TransformerEncoder(
            transformer.stack(encoder, model.under("encoder"), source, config.encoder_layers)
        ),
        decoder=_core.TransformerDecoder(
            transformer.stack(
                decoder, model.under("decoder"), target, config.decoder_layers, cross=True
            ),
            _core.Linear(output, np.ascontiguousarray(bias)),
        ),
    )


def embeddings(config: Config, model: Weights) -> tuple[Floats, Floats]:
    """Return those of the source and of the target, (vocab_size, d_model) each."""
    source, target = (f"{name}.embed_tokens.weight" for name in ("encoder", "decoder"))
    if not config.share_encoder_decoder_embeddings:
        return (
            model.take(source, config.source_vocab_size, config.d_model),
            model.take(target, config.target_vocab_size, config.d_model),
        )
    if config.source_vocab_size != config.target_vocab_size:
        raise FormatError(
            "config: 'share_encoder_decoder_embeddings' is true, expected equal vocabulary sizes"
        )
    shared = model.take("shared.weight", config.source_vocab_size, config.d_model)
    return shared, shared


def side(config: Config, name: str) -> transformer.Config:
    """Return the Transformer's config for one side, whose heads and widths may differ."""
    is_encoder = name == "encoder"
    heads = config.encoder_attention_heads if is_encoder else config.decoder_attention_heads
    if config.d_model % heads:
        raise FormatError(
            f"config: '{name}_attention_heads' is {heads}, expected a divisor of 'd_model' "
            f"{config.d_model}"
        )
    return transformer.Config(
        source_vocab_size=config.source_vocab_size,
        target_vocab_size=config.target_vocab_size,
        hidden_size=config.d_model,
        intermediate_size=config.encoder_ffn_dim if is_encoder else config.decoder_ffn_dim,
        encoder_num_layers=config.encoder_layers,
        decoder_num_layers=config.decoder_layers,
        num_heads=heads,
        norm_placement="post",
        final_norm=False,
        norm_eps=1e-5,
        activation=activation(config.activation_function),
        positions="sinusoidal",
        position_layout="marian",
        position_offset=0,
        max_positions=config.max_position_embeddings,
        scale_embeddings=config.scale_embedding,
        shared_embeddings=config.share_encoder_decoder_embeddings,
        tied_output=config.tie_word_embeddings,
    )
