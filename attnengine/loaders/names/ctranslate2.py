"""CTranslate2's encoder-decoder Transformers: variables, and settings stored as scalars."""

from __future__ import annotations

from attnengine.loaders.names import Table

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
    # two embeddings when the source has factors; "embeddings_0" in later files with one
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
    (r"decoder/projection/(weight|bias)", (r"lm_head.\1",)),
)

# Spec name -> heads when the file does not say.
SPECS = {"TransformerBase": 8, "TransformerBig": 16, "TransformerSpec": 8}
ACTIVATIONS = {0: "relu", 1: "gelu_tanh", 2: "silu", 3: "gelu"}

# Scalars that do not change a translation, or whose only value is what attnengine does.
IGNORED = ("alignment_layer", "alignment_heads")
TOKEN_FLAGS = ("with_source_bos", "with_source_eos", "with_target_bos")
ONLY = {"with_relative_position": 0, "embeddings_merge": 0}

SPECIAL = {"bos": "<s>", "eos": "</s>", "pad": "<blank>", "unk": "<unk>"}
