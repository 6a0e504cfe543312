"""Encoders and encoder-decoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from attnengine.loaders.gguf.families.family import Family, block, module
from attnengine.loaders.shared.renaming import Table


def _bert(name: str, canonical: str) -> tuple[str, tuple[str, ...]]:
    return block(name, rf"bert.encoder.layer.\1.{canonical}")


_BERT = Family(
    model_type="bert",
    keys={
        "block_count": "num_hidden_layers",
        "context_length": "max_position_embeddings",
        "embedding_length": "hidden_size",
        "feed_forward_length": "intermediate_size",
        "attention.head_count": "num_attention_heads",
        "attention.layer_norm_epsilon": "layer_norm_eps",
    },
    sizes={"type_vocab_size": "token_types.weight"},
    table=(
        module("token_embd", "bert.embeddings.word_embeddings"),
        module("position_embd", "bert.embeddings.position_embeddings"),
        module("token_types", "bert.embeddings.token_type_embeddings"),
        module("token_embd_norm", "bert.embeddings.LayerNorm"),
        _bert("attn_q", "attention.self.query"),
        _bert("attn_k", "attention.self.key"),
        _bert("attn_v", "attention.self.value"),
        _bert("attn_output", "attention.output.dense"),
        _bert("attn_output_norm", "attention.output.LayerNorm"),
        _bert("ffn_up", "intermediate.dense"),
        _bert("ffn_down", "output.dense"),
        _bert("layer_output_norm", "output.LayerNorm"),
    ),
)


def _t5(side: str, feed_forward: int, dense: Mapping[str, str]) -> Table:
    """Return the names of one side; its feed-forward block follows one or two attentions."""
    start, stack = rf"{side[:3]}\.", rf"{side}.block.\1.layer"
    attention = {"q": "q", "k": "k", "v": "v", "o": "o", "rel_b": "relative_attention_bias"}
    return (
        module(rf"{start}output_norm", f"{side}.final_layer_norm"),
        block("attn_norm", f"{stack}.0.layer_norm", start),
        *(block(f"attn_{a}", f"{stack}.0.SelfAttention.{b}", start) for a, b in attention.items()),
        block("cross_attn_norm", f"{stack}.1.layer_norm", start),
        *(block(f"cross_attn_{x}", f"{stack}.1.EncDecAttention.{x}", start) for x in "qkvo"),
        block("ffn_norm", f"{stack}.{feed_forward}.layer_norm", start),
        *(
            block(f"ffn_{a}", f"{stack}.{feed_forward}.DenseReluDense.{b}", start)
            for a, b in dense.items()
        ),
    )


def _t5_table(dense: Mapping[str, str]) -> Table:
    ends = (module("token_embd", "shared"), module("output", "lm_head"))
    return (*ends, *_t5("encoder", 1, dense), *_t5("decoder", 2, dense))


_T5_PLAIN = Family(
    model_type="t5",
    keys={
        "block_count": "num_layers",
        "decoder_block_count": "num_decoder_layers",
        "embedding_length": "d_model",
        "feed_forward_length": "d_ff",
        "attention.head_count": "num_heads",
        "attention.key_length": "d_kv",
        "attention.relative_buckets_count": "relative_attention_num_buckets",
        "attention.layer_norm_rms_epsilon": "layer_norm_epsilon",
        "decoder_start_token_id": "decoder_start_token_id",
    },
    table=_t5_table({"up": "wi", "down": "wo"}),
    given={"feed_forward_proj": "relu"},
    unused=r"dec\.blk\.\d+\.cross_attn_rel_b\.weight",  # in early files; nothing reads it
    ignored=frozenset({"attention.layer_norm_epsilon", "attention.value_length", "context_length"}),
)
_T5 = replace(
    _T5_PLAIN,
    table=_t5_table({"gate": "wi_0", "up": "wi_1", "down": "wo"}),
    given={"feed_forward_proj": "gated-gelu"},
    without=("enc.blk.0.ffn_gate.weight", _T5_PLAIN),
)
_UMT5 = replace(_T5, model_type="umt5", without=("enc.blk.1.attn_rel_b.weight", _T5))
OTHERS = {"bert": _BERT, "t5": _UMT5}
