"""BART (Lewis et al. 2020), and parts that similar encoder-decoders of Hugging Face share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.parts.blocks import ActivationName, activation
from attnengine.models.parts.vocabulary import embedding, vocabulary_layers
from attnengine.models.registry import register
from attnengine.models.seq2seqs import transformer
from attnengine.models.weights import Weights

Side = Literal["encoder", "decoder"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Keys of Hugging Face's ``BartConfig``."""

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
    tie_word_embeddings: bool = True

    @property
    def separate_embeddings(self) -> bool:
        """Whether encoder and decoder may have embeddings of their own."""
        return not self.tie_word_embeddings


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Differences between the families, as keys of the architecture "transformer"."""

    norm_placement: Literal["pre", "post"] = "post"
    final_norm: bool = False
    embedding_norm: bool = False
    positions: Literal["sinusoidal", "learned"] = "learned"
    position_layout: Literal["halves", "marian"] | None = None
    position_offset: int = 0


@register("bart", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from ``model.*``, ``final_logits_bias`` and, unless tied, ``lm_head.weight``."""
    return build_alike(config, weights, Layout(embedding_norm=True, position_offset=2))


def build_alike(config: Config, weights: Weights, layout: Layout) -> _core.TransformerSeq2Seq:
    """Build a family that differs from BART in its layout."""
    model = weights.under("model")
    source, target, output = vocabulary(config, weights)
    return _core.TransformerSeq2Seq(
        encoder=encoder(config, layout, model, source),
        decoder=decoder(config, layout, model, target, output),
    )


def vocabulary(
    config: Config, weights: Weights
) -> tuple[_core.Embedding, _core.Embedding, _core.Linear]:
    """Return the embeddings of source and target, and the output layer.

    The bias of the output layer is zero if an early checkpoint lacks it.
    """
    model, size, tied = weights.under("model"), config.target_vocab_size, config.tie_word_embeddings
    source_name, target_name = table_names(config, model)
    bias = weights.get("final_logits_bias", 1, size)
    target, output = vocabulary_layers(
        weights,
        model.matrix(target_name, size, config.d_model),
        None if tied else weights.matrix("lm_head.weight", size, config.d_model),
        None if bias is None else bias[0],
    )
    if source_name == target_name:
        return target, target, output
    source = model.matrix(source_name, config.source_vocab_size, config.d_model)
    return embedding(weights, source), target, output


def table_names(config: Config, model: Weights) -> tuple[str, str]:
    """Return the names of the source's and the target's embedding; they may be the same."""
    shared, size = "shared.weight", config.source_vocab_size
    if not config.separate_embeddings:
        if size != config.target_vocab_size:
            raise FormatError("config: the embeddings are shared, expected equal vocabulary sizes")
        return shared, shared
    # Early checkpoints omit an embedding that equals the shared one. Later ones have both, and a
    # shared weight that nothing reads.
    if shared in model:
        model.matrix(shared, size, config.d_model)
    names = "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"
    source, target = (name if name in model else shared for name in names)
    return source, target


def encoder(
    config: Config, layout: Layout, model: Weights, embedding: _core.Embedding
) -> _core.TransformerEncoder:
    """Build the encoder from its weights and embedding."""
    side, w = transformer_config(config, layout, "encoder"), model.under("encoder")
    return _core.TransformerEncoder(transformer.stack(side, w, embedding, config.encoder_layers))


def decoder(
    config: Config, layout: Layout, model: Weights, embedding: _core.Embedding, out: _core.Linear
) -> _core.TransformerDecoder:
    """Build the decoder from its weights, embedding and output layer."""
    side, w = transformer_config(config, layout, "decoder"), model.under("decoder")
    stack = transformer.stack(side, w, embedding, config.decoder_layers, cross=True)
    return _core.TransformerDecoder(stack, out, settings=w.settings)


def transformer_config(config: Config, layout: Layout, side: Side) -> transformer.Config:
    """Return the Transformer's config for one side; the sides may differ in heads and widths."""
    heads = {"encoder": config.encoder_attention_heads, "decoder": config.decoder_attention_heads}
    widths = {"encoder": config.encoder_ffn_dim, "decoder": config.decoder_ffn_dim}
    if config.d_model % heads[side]:
        raise FormatError(
            f"config: '{side}_attention_heads' is {heads[side]}, expected a divisor of 'd_model' "
            f"{config.d_model}"
        )
    return transformer.Config(
        **asdict(layout),
        source_vocab_size=config.source_vocab_size,
        target_vocab_size=config.target_vocab_size,
        hidden_size=config.d_model,
        intermediate_size=widths[side],
        encoder_num_layers=config.encoder_layers,
        decoder_num_layers=config.decoder_layers,
        num_heads=heads[side],
        norm_eps=1e-5,
        activation=activation(config.activation_function),
        max_positions=config.max_position_embeddings,
        scale_embeddings=config.scale_embedding,
        shared_embeddings=not config.separate_embeddings,
        tied_output=config.tie_word_embeddings,
    )
