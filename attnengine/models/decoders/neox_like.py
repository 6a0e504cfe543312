"""Shared parts of families with layer norms and rotary positions, such as GPT-NeoX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from attnengine import _core
from attnengine.models.parts import rotary as rotaries
from attnengine.models.parts.attention import Heads
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's configs that these families share."""

    embedding: ClassVar[str] = "embed_tokens"  # of its weight's name; not a key
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    tie_word_embeddings: bool = False


def rotary(config: Config, heads: Heads, partial: float = 1.0) -> _core.Rotary:
    """Return the rotation of the first part of each head."""
    return rotaries.rotary(
        heads.dim, config.rope_theta, config.rope_scaling, config.max_position_embeddings, partial
    )


def decoder(
    config: Config,
    weights: Weights,
    model: Weights,
    layer: Callable[[int, Weights], _core.TransformerLayer],
    final_norm: _core.LayerNorm,
    *,
    bias: bool = False,
    logit_scale: float = 1.0,
) -> _core.TransformerDecoder:
    """Build from the weights of ``model`` and, unless tied, ``lm_head.weight``.

    ``layer`` builds layer i. ``bias`` says whether ``lm_head`` has a bias.
    """
    rows = model.matrix(f"{config.embedding}.weight", config.vocab_size, config.hidden_size)
    tied = config.tie_word_embeddings
    embedding, output = with_head(weights, rows, tied=tied, bias=bias, scale=logit_scale)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=rotaries.limit(config.rope_scaling, config.max_position_embeddings),
            layers=[layer(i, model.under(f"layers.{i}")) for i in range(config.num_hidden_layers)],
            final_norm=final_norm,
        ),
        output,
        settings=weights.settings,
    )
