"""GPT-2: pre-norm decoder, learned positions, GELU (Radford et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.matrix import Matrix
from attnengine.models.parts.blocks import ActivationName, activation, check_heads, layer_norm
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``GPT2Config``."""

    vocab_size: int
    n_embd: int
    n_layer: int
    n_head: int
    n_positions: int
    n_ctx: int | None = None  # early versions' name; transformers reads n_positions
    n_inner: int | None = None
    layer_norm_epsilon: float = 1e-5
    activation_function: ActivationName = "gelu_new"
    tie_word_embeddings: bool = True
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False


@register("gpt2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``transformer.*`` and, unless tied, ``lm_head.weight``."""
    check_heads(config.n_head, config.n_embd, "n_head")
    model = weights.under("transformer")
    table = model.matrix("wte.weight", config.vocab_size, config.n_embd)
    embedding, output = with_head(weights, table, tied=config.tie_word_embeddings)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=config.n_positions,
            positions=model.take("wpe.weight", config.n_positions, config.n_embd),
            layers=[layer(config, model.under(f"h.{i}"), i) for i in range(config.n_layer)],
            final_norm=layer_norm(model, "ln_f", config.n_embd, config.layer_norm_epsilon),
        ),
        output,
        settings=weights.settings,
    )


def layer(config: Config, w: Weights, i: int) -> _core.TransformerLayer:
    """Build layer i; one matrix holds queries, keys and values."""
    size, eps = config.n_embd, config.layer_norm_epsilon
    wide = config.n_inner or 4 * size
    attention, mlp = w.under("attn"), w.under("mlp")
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            query_key_value=transposed(attention, "c_attn", 3 * size, size),
            output=transposed(attention, "c_proj", size, size),
            num_heads=config.n_head,
            scale=score_scale(config, i),
        ),
        self_attention_norm=_core.BlockNorm(before=layer_norm(w, "ln_1", size, eps)),
        feed_forward=_core.FeedForward(
            up=transposed(mlp, "c_fc", wide, size),
            down=transposed(mlp, "c_proj", size, wide),
            activation=activation(config.activation_function),
        ),
        feed_forward_norm=_core.BlockNorm(before=layer_norm(w, "ln_2", size, eps)),
    )


def score_scale(config: Config, layer: int) -> float | None:
    """Return the scale of a layer's attention scores; None is the usual 1 / sqrt(head size)."""
    if config.scale_attn_weights and not config.scale_attn_by_inverse_layer_idx:
        return None
    scale = (config.n_embd // config.n_head) ** -0.5 if config.scale_attn_weights else 1.0
    return scale / (layer + 1) if config.scale_attn_by_inverse_layer_idx else scale


def transposed(w: Weights, name: str, out_size: int, in_size: int) -> _core.Linear:
    """Build a linear layer from a ``Conv1D`` weight (in, out)."""
    stored = w.matrix(f"{name}.weight", in_size, out_size)
    weight = Matrix.of((out_size, in_size), lambda: stored.read().T)
    return w.pack(weight, w.take(f"{name}.bias", out_size))
