"""Whisper: speech to text, two convolutions and a pre-norm Transformer (Radford et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.parts.blocks import ActivationName, activation, check_heads
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.registry import register
from attnengine.models.seq2seqs import transformer
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``WhisperConfig``, and the ids of the tokens that prompt the decoder.

    language_token_ids, task_token_ids: name -> id, such as "en" and "translate"; empty for
    English-only models.
    """

    vocab_size: int
    num_mel_bins: int
    d_model: int
    encoder_layers: int
    encoder_attention_heads: int
    encoder_ffn_dim: int
    decoder_layers: int
    decoder_attention_heads: int
    decoder_ffn_dim: int
    max_source_positions: int
    max_target_positions: int
    language_token_ids: dict[str, Any]
    task_token_ids: dict[str, Any]
    no_timestamps_token_id: int | None = field(metadata={"minimum": 0})
    activation_function: ActivationName = "gelu"
    tie_word_embeddings: bool = True


@register("whisper", config=Config)
def build(config: Config, weights: Weights) -> _core.SpeechSeq2Seq:
    """Build from ``model.*`` and, unless tied, ``proj_out.weight``."""
    check_tokens(config)
    model = weights.under("model")
    front, size = model.under("encoder"), config.d_model
    encoder, decoder = (side(config, name) for name in ("encoder", "decoder"))
    table = model.matrix("decoder.embed_tokens.weight", config.vocab_size, size)
    tied = config.tie_word_embeddings
    embedding, output = with_head(weights, table, tied=tied, name="proj_out")
    return _core.SpeechSeq2Seq(
        encoder=_core.SpeechEncoder(
            convolutions=[
                convolution(front.under("conv1"), config.num_mel_bins, size, stride=1),
                convolution(front.under("conv2"), size, size, stride=2),
            ],
            activation="gelu",
            stack=transformer.stack(encoder, front, None, config.encoder_layers),
        ),
        decoder=_core.TransformerDecoder(
            transformer.stack(
                decoder, model.under("decoder"), embedding, config.decoder_layers, cross=True
            ),
            output,
            settings=weights.settings,
        ),
    )


def convolution(w: Weights, in_size: int, out_size: int, *, stride: int) -> _core.Convolution:
    """Build a convolution of width 3 from a weight (out, in, 3); it stays in float32."""
    weight = w.take("weight", out_size, in_size, 3).transpose(0, 2, 1)  # (out, 3, in)
    flat, bias = weight.reshape(out_size, 3 * in_size), w.take("bias", out_size)
    linear = w.pack(flat, bias, precision="float32")
    return _core.Convolution(linear, stride=stride)


def side(config: Config, name: str) -> transformer.Stack:
    """Return the Transformer config of one side."""
    is_encoder = name == "encoder"
    heads = config.encoder_attention_heads if is_encoder else config.decoder_attention_heads
    check_heads(heads, config.d_model, f"{name}_attention_heads")
    return transformer.Stack(
        hidden_size=config.d_model,
        intermediate_size=config.encoder_ffn_dim if is_encoder else config.decoder_ffn_dim,
        num_heads=heads,
        norm_placement="pre",
        final_norm=True,
        norm_eps=1e-5,
        activation=activation(config.activation_function),
        positions="learned",
        position_layout=None,
        position_offset=0,
        max_positions=config.max_source_positions if is_encoder else config.max_target_positions,
        scale_embeddings=False,
    )


def check_tokens(config: Config) -> None:
    """Raise FormatError for ids beyond the vocabulary."""
    named = {
        "no_timestamps_token_id": [config.no_timestamps_token_id],
        "language_token_ids": config.language_token_ids.values(),
        "task_token_ids": config.task_token_ids.values(),
    }
    for key, ids in named.items():
        for i in ids:
            if i is not None and (type(i) is not int or not 0 <= i < config.vocab_size):
                raise FormatError(
                    f"config: {key!r} has {i!r:.80}, expected ids below {config.vocab_size}"
                )
