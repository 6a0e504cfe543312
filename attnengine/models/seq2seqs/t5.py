"""T5, T5 v1.1 and FLAN-T5 (Raffel et al. 2020): pre-norm, relative position biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.parts.blocks import ActivationName, activation, fused, projections
from attnengine.models.parts.position_bias import bucket_bias
from attnengine.models.parts.vocabulary import vocabulary_layers
from attnengine.models.registry import register
from attnengine.models.weights import Weights

FeedForwardName = Literal["relu", "gelu", "silu", "gated-relu", "gated-gelu", "gated-silu"]
# feed_forward_proj -> activation, unless dense_act_fn gives another
_ACTIVATIONS: dict[FeedForwardName, ActivationName] = {
    "relu": "relu",
    "gelu": "gelu",
    "silu": "silu",
    "gated-relu": "relu",
    "gated-gelu": "gelu_new",
    "gated-silu": "silu",
}


@dataclass(frozen=True, kw_only=True)
class FamilyConfig:
    """Keys that the configs of T5, mT5 and UMT5 have in Hugging Face's transformers."""

    source_vocab_size: int
    target_vocab_size: int
    d_model: int
    d_kv: int
    d_ff: int
    num_layers: int
    num_heads: int
    feed_forward_proj: FeedForwardName
    num_decoder_layers: int | None = None
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    layer_norm_epsilon: float = 1e-6
    dense_act_fn: ActivationName | None = None
    is_gated_act: bool | None = None
    tie_word_embeddings: bool = True

    # Whether every layer has its own biases; else all layers share those of the first.
    own_biases: ClassVar[bool] = False

    @property
    def scaled(self) -> bool:
        """Whether the input of the output layer is multiplied by d_model ** -0.5."""
        return self.tie_word_embeddings

    @property
    def gated(self) -> bool:
        """Whether the feed-forward network has a gate."""
        given = self.is_gated_act
        return self.feed_forward_proj.startswith("gated") if given is None else given


@dataclass(frozen=True, kw_only=True)
class Config(FamilyConfig):
    """Keys of ``T5Config``."""

    scale_decoder_outputs: bool | None = None

    @property
    def scaled(self) -> bool:
        """Version 5 of transformers has a key for it; earlier ones scale if the output is tied."""
        given = self.scale_decoder_outputs
        return self.tie_word_embeddings if given is None else given


@register("t5", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from ``shared.weight``, ``encoder.*``, ``decoder.*`` and ``lm_head.weight``."""
    return build_alike(config, weights)


def build_alike(config: FamilyConfig, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build a family that differs from T5 in its config."""
    if config.source_vocab_size != config.target_vocab_size:
        raise FormatError("config: the embeddings are shared, expected equal vocabulary sizes")
    shape = config.source_vocab_size, config.d_model
    # version 5 writes true for every model; the output is tied if its weight is absent
    tied = config.tie_word_embeddings and "lm_head.weight" not in weights
    embedding, output = vocabulary_layers(
        weights,
        weights.matrix("shared.weight", *shape),
        None if tied else weights.matrix("lm_head.weight", *shape),
        scale=config.d_model**-0.5 if config.scaled else 1.0,
    )
    return _core.TransformerSeq2Seq(
        encoder=_core.TransformerEncoder(stack(config, weights.under("encoder"), embedding)),
        decoder=_core.TransformerDecoder(
            stack(config, weights.under("decoder"), embedding, cross=True),
            output,
            settings=weights.settings,
        ),
    )


def stack(
    config: FamilyConfig, w: Weights, embedding: _core.Embedding, *, cross: bool = False
) -> _core.TransformerStack:
    """Build the encoder, or the decoder if ``cross``."""
    count = config.num_decoder_layers or config.num_layers if cross else config.num_layers
    biases = bias(config, w.under("block.0"), bidirectional=not cross)
    layers = []
    for i in range(count):
        block = w.under(f"block.{i}")
        if config.own_biases and i:
            biases = bias(config, block, bidirectional=not cross)
        layers.append(layer(config, block, biases, cross=cross))
    return _core.TransformerStack(
        embedding=embedding,
        max_positions=0,
        layers=layers,
        final_norm=norm(config, w, "final_layer_norm"),
    )


def bias(config: FamilyConfig, w: Weights, *, bidirectional: bool) -> _core.PositionBias:
    """Build the biases of a layer's self-attention."""
    buckets, heads = config.relative_attention_num_buckets, config.num_heads
    weight = w.take("layer.0.SelfAttention.relative_attention_bias.weight", buckets, heads)
    reach = config.relative_attention_max_distance
    return bucket_bias(weight, reach, bidirectional=bidirectional)


def layer(
    config: FamilyConfig, w: Weights, biases: _core.PositionBias, *, cross: bool
) -> _core.TransformerLayer:
    """Build one layer: two blocks, or three in the decoder."""
    last = w.under("layer.2" if cross else "layer.1")
    return _core.TransformerLayer(
        self_attention=attention(config, w.under("layer.0.SelfAttention"), biases),
        self_attention_norm=block_norm(config, w.under("layer.0")),
        cross_attention=(
            attention(config, w.under("layer.1.EncDecAttention"), None) if cross else None
        ),
        cross_attention_norm=block_norm(config, w.under("layer.1")) if cross else None,
        feed_forward=feed_forward(config, last.under("DenseReluDense")),
        feed_forward_norm=block_norm(config, last),
    )


def attention(
    config: FamilyConfig, w: Weights, biases: _core.PositionBias | None
) -> _core.MultiHeadAttention:
    """Build an attention with unscaled scores; cross-attention has no biases."""
    size, heads = config.d_model, config.num_heads * config.d_kv
    return _core.MultiHeadAttention(
        **projections(w, ("q", "k", "v"), (heads, size), cross=biases is None, bias=False),
        output=w.linear("o", size, heads, bias=False),
        num_heads=config.num_heads,
        scale=1.0,
        position_bias=biases,
    )


def feed_forward(config: FamilyConfig, w: Weights) -> _core.FeedForward:
    """Build the feed-forward network."""
    size, wide = config.d_model, config.d_ff
    parts = [("wi_0", wide), ("wi_1", wide)] if config.gated else [("wi", wide)]
    return _core.FeedForward(
        up=fused(w, parts, size, bias=False),
        down=w.linear("wo", size, wide, bias=False),
        activation=activation(config.dense_act_fn or _ACTIVATIONS[config.feed_forward_proj]),
        gated=config.gated,
    )


def block_norm(config: FamilyConfig, w: Weights) -> _core.BlockNorm:
    """Build the norm before a block."""
    return _core.BlockNorm(before=norm(config, w, "layer_norm"))


def norm(config: FamilyConfig, w: Weights, name: str) -> _core.RMSNorm:
    """Build an RMS norm."""
    return _core.RMSNorm(w.take(f"{name}.weight", config.d_model), eps=config.layer_norm_epsilon)
