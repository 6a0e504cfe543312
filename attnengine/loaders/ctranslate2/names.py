"""Names in CTranslate2's Transformers: variables and settings of model.bin, config.json's keys."""

from __future__ import annotations

from typing import Any

from attnengine.loaders.shared.renaming import Table

_SIDE = r"(encoder|decoder)/"
_LAYER = r"(encoder|decoder)/layer_([0-9]{1,3})/"
_PARAMETER = r"(weight|bias)"


def _norm(place: str, name: str) -> Table:
    return (
        (_LAYER + place + "/layer_norm/gamma", (rf"\1.layers.\2.{name}.weight",)),
        (_LAYER + place + "/layer_norm/beta", (rf"\1.layers.\2.{name}.bias",)),
    )


def _linear(place: str, *names: str) -> Table:
    templates = tuple(rf"\1.layers.\2.{name}.\3" for name in names)
    return ((f"{_LAYER}{place}/{_PARAMETER}", templates),)


TABLE: Table = (
    # Sources with factors have two embeddings; later files call a single one "embeddings_0".
    (_SIDE + r"embeddings(?:_0)?/weight", (r"\1.embed_tokens.weight",)),
    (_SIDE + r"position_encodings/encodings", (r"\1.embed_positions.weight",)),
    *_norm("self_attention", "self_attn_layer_norm"),
    *_linear("self_attention/linear_0", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    *_linear("self_attention/linear_1", "self_attn.out_proj"),
    *_norm("attention", "encoder_attn_layer_norm"),
    *_linear("attention/linear_0", "encoder_attn.q_proj"),
    *_linear("attention/linear_1", "encoder_attn.k_proj", "encoder_attn.v_proj"),
    *_linear("attention/linear_2", "encoder_attn.out_proj"),
    *_norm("ffn", "final_layer_norm"),
    *_linear("ffn/linear_0", "fc1"),
    *_linear("ffn/linear_1", "fc2"),
    (_SIDE + "layer_norm/gamma", (r"\1.layer_norm.weight",)),
    (_SIDE + "layer_norm/beta", (r"\1.layer_norm.bias",)),
    (_SIDE + "layernorm_embedding/gamma", (r"\1.layernorm_embedding.weight",)),
    (_SIDE + "layernorm_embedding/beta", (r"\1.layernorm_embedding.bias",)),
    (r"decoder/projection/(weight|bias)", (r"lm_head.\1",)),
)

WHISPER: Table = ((r"encoder/(conv[12])/(weight|bias)", (r"encoder.\1.\2",)), *TABLE)

_DECODER_LAYER = r"decoder/layer_([0-9]{1,3})/"


def _llama(place: str, name: str) -> Table:
    return ((f"{_DECODER_LAYER}{place}/{_PARAMETER}", (rf"model.layers.\1.{name}.\2",)),)


def _llama_norm(place: str, name: str) -> Table:
    gamma = f"{_DECODER_LAYER}{place}/gamma"
    return ((gamma, (rf"model.layers.\1.{name}.weight",)),)


_BERT_LAYER = r"encoder/layer_([0-9]{1,3})/"


def _bert(place: str, *names: str) -> Table:
    templates = tuple(rf"bert.encoder.layer.\1.{name}.\2" for name in names)
    return ((f"{_BERT_LAYER}{place}/{_PARAMETER}", templates),)


def _bert_norm(place: str, name: str) -> Table:
    return (
        (f"{place}/gamma", (f"bert.{name}.weight",)),
        (f"{place}/beta", (f"bert.{name}.bias",)),
    )


_BERT_ATTENTION = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))
_BERT_LAYER_NORM = r"encoder.layer.\1"
BERT: Table = (
    (r"encoder/embeddings(?:_0)?/weight", ("bert.embeddings.word_embeddings.weight",)),
    ("encoder/embeddings_1/weight", ("bert.embeddings.token_type_embeddings.weight",)),
    (
        "encoder/position_encodings/encodings",
        ("bert.embeddings.position_embeddings.weight",),
    ),
    *_bert_norm("encoder/layernorm_embedding", "embeddings.LayerNorm"),
    *_bert("self_attention/linear_0", *_BERT_ATTENTION),
    *_bert("self_attention/linear_1", "attention.output.dense"),
    *_bert_norm(
        _BERT_LAYER + "self_attention/layer_norm", _BERT_LAYER_NORM + ".attention.output.LayerNorm"
    ),
    *_bert("ffn/linear_0", "intermediate.dense"),
    *_bert("ffn/linear_1", "output.dense"),
    *_bert_norm(_BERT_LAYER + "ffn/layer_norm", _BERT_LAYER_NORM + ".output.LayerNorm"),
)

# Decoders with a gate. The loader cuts "qkv_proj" into parts that may differ in size.
LLAMA: Table = (
    ("decoder/embeddings/weight", ("model.embed_tokens.weight",)),
    ("decoder/layer_norm/gamma", ("model.norm.weight",)),
    *_llama_norm("self_attention/layer_norm", "input_layernorm"),
    *_llama_norm("self_attention/q_norm", "self_attn.q_norm"),
    *_llama_norm("self_attention/k_norm", "self_attn.k_norm"),
    *_llama_norm("ffn/layer_norm", "post_attention_layernorm"),
    *_llama("self_attention/linear_0", "self_attn.qkv_proj"),
    *_llama("self_attention/linear_1", "self_attn.o_proj"),
    *_llama("ffn/linear_0", "mlp.gate_proj"),
    *_llama("ffn/linear_0_noact", "mlp.up_proj"),
    *_llama("ffn/linear_1", "mlp.down_proj"),
    ("decoder/projection/weight", ("lm_head.weight",)),
)

# Spec name -> heads, if the file has no number. Version 1 has no spec name.
ENCODER_DECODERS = {"": 8, "TransformerBase": 8, "TransformerBig": 16, "TransformerSpec": 8}
ACTIVATIONS = {0: "relu", 1: "gelu_tanh", 2: "silu", 3: "gelu"}

HIDDEN_ACTIVATIONS = {"gelu_tanh": "gelu_pytorch_tanh"}  # where Hugging Face's name differs

# Revision 1 has OpenNMT-tf's names. These substitutions, in this order, give the table's names.
REVISION_1 = (
    (r"^transformer/", ""),
    (":0", ""),
    ("w_embs", "embeddings/weight"),
    ("kernel", "weight"),
    ("LayerNorm", "layer_norm"),
    ("dense", "projection"),
    ("conv1d_", "linear_"),
    ("conv1d", "linear_0"),
    (r"^encoder/(.*)multi_head", r"encoder/\1self_attention"),
    ("masked_multi_head", "self_attention"),
    ("multi_head", "attention"),
)

# Scalars that do not change a translation, and scalars with one supported value.
IGNORED = ("alignment_layer", "alignment_heads", "alibi_use_positive_positions", "scale_alibi")
ONLY = {
    "alibi": 0,
    "embeddings_merge": 0,
    "multi_query_attention": 0,
    "start_from_zero_embedding": 0,
    "with_relative_position": 0,
}

# key of config.json -> its default
CONFIG: dict[str, Any] = {
    "unk_token": "<unk>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "decoder_start_token": "<s>",
    "add_source_bos": False,
    "add_source_eos": False,
    "layer_norm_epsilon": None,
}
# key -> values that change nothing, the usual one first
CONFIG_ONLY: dict[str, tuple[Any, ...]] = {
    "multi_query_attention": (False, True, None),  # model.bin has the number of heads
    "quantization_type": (0, None),
    "quantization_bits": (None, 0),
    "quantization_group_size": (None, 0),
}
WHISPER_CONFIG = ("alignment_heads", "lang_ids", "suppress_ids", "suppress_ids_begin")
# Before version 6 these keys were flags in model.bin.
TOKEN_FLAGS = {"add_source_bos": "with_source_bos", "add_source_eos": "with_source_eos"}

PAD = "<blank>"
ZERO_TOKEN = "<pad>"  # start token with an embedding of zeros
