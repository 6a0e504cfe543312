"""OpenNMT-py's encoder-decoders: names and supported options."""

from __future__ import annotations

from attnengine.loaders.shared.renaming import Table

# "make_embedding" came in version 0.1
_EMBEDDING = r"(encoder|decoder)\.embeddings\.(?:make_embedding\.)?"
# "generator.0" up to version 2, "generator" in version 3
_OUTPUT = r"generator\.(?:0\.)?(weight|bias)"

RNN_TABLE: Table = (
    (_EMBEDDING + r"emb_luts\.0\.weight", (r"\1.embedding.weight",)),
    (
        r"encoder\.rnn\.((?:weight|bias)_(?:ih|hh)_l[0-9]{1,3}(?:_reverse)?)",
        (r"encoder.rnn.\1",),
    ),
    (r"encoder\.bridge\.0\.(weight|bias)", (r"bridge.hidden.\1",)),
    (r"encoder\.bridge\.1\.(weight|bias)", (r"bridge.cell.\1",)),
    # with input feeding a stack of cells, without it one nn.LSTM or nn.GRU
    (
        r"decoder\.rnn\.layers\.([0-9]{1,3})\.((?:weight|bias)_(?:ih|hh))",
        (r"decoder.rnn.\2_l\1",),
    ),
    (r"decoder\.rnn\.((?:weight|bias)_(?:ih|hh)_l[0-9]{1,3})", (r"decoder.rnn.\1",)),
    (r"decoder\.attn\.linear_(?:in|query)\.(weight|bias)", (r"decoder.attention.query.\1",)),
    (r"decoder\.attn\.linear_context\.(weight|bias)", (r"decoder.attention.key.\1",)),
    (r"decoder\.attn\.v\.weight", (r"decoder.attention.vector",)),
    (r"decoder\.attn\.linear_out\.(weight|bias)", (r"decoder.readout.\1",)),
    (_OUTPUT, (r"decoder.output.\1",)),
)

_ENCODER, _DECODER = (
    r"encoder\.transformer\.([0-9]{1,3})",
    r"decoder\.transformer_layers\.([0-9]{1,3})",
)


def _attention(place: str, canonical: str) -> Table:
    """Rows of one attention; version 3 may be without biases."""
    stored = {"query": "q_proj", "keys": "k_proj", "values": "v_proj"}
    return (
        *(
            (rf"{place}\.linear_{name}\.(weight|bias)", (rf"{canonical}.{ours}.\2",))
            for name, ours in stored.items()
        ),
        (rf"{place}\.final_linear\.(weight|bias)", (rf"{canonical}.out_proj.\2",)),
    )


def _norm(place: str, canonical: str) -> Table:
    """Rows of one layer norm; before version 0.9 its weights were a_2 and b_2."""
    return (
        (rf"{place}\.(?:weight|a_2)", (f"{canonical}.weight",)),
        (rf"{place}\.(?:bias|b_2)", (f"{canonical}.bias",)),
    )


def _feed_forward(place: str, canonical: str) -> Table:
    return (
        (rf"{place}\.feed_forward\.w_([12])\.(weight|bias)", (rf"{canonical}.fc\2.\3",)),
        *_norm(rf"{place}\.feed_forward\.layer_norm", f"{canonical}.final_layer_norm"),
    )


_ENCODER_LAYER, _DECODER_LAYER = r"encoder.layers.\1", r"decoder.layers.\1"

TRANSFORMER_TABLE: Table = (
    (_EMBEDDING + r"emb_luts\.0\.weight", (r"\1.embed_tokens.weight",)),
    (_EMBEDDING + r"pe\.pe", ()),  # sinusoids
    *_attention(rf"{_ENCODER}\.self_attn", rf"{_ENCODER_LAYER}.self_attn"),
    *_norm(rf"{_ENCODER}\.layer_norm", rf"{_ENCODER_LAYER}.self_attn_layer_norm"),
    *_feed_forward(_ENCODER, _ENCODER_LAYER),
    *_attention(rf"{_DECODER}\.self_attn", rf"{_DECODER_LAYER}.self_attn"),
    (
        rf"{_DECODER}\.self_attn\.gating_layer\.(weight|bias)",
        (rf"{_DECODER_LAYER}.average.gate.\2",),
    ),
    *_norm(rf"{_DECODER}\.layer_norm_1", rf"{_DECODER_LAYER}.self_attn_layer_norm"),
    *_attention(rf"{_DECODER}\.context_attn", rf"{_DECODER_LAYER}.encoder_attn"),
    *_norm(rf"{_DECODER}\.layer_norm_2", rf"{_DECODER_LAYER}.encoder_attn_layer_norm"),
    *_feed_forward(_DECODER, _DECODER_LAYER),
    *_norm(r"(encoder|decoder)\.layer_norm", r"\1.layer_norm"),
    (_OUTPUT, (r"lm_head.\1",)),
)

# Weights that are vectors, though files may hold them as (1, size).
VECTORS = r".*\.(?:bias|bias_(?:ih|hh)_l[0-9]+(?:_reverse)?|vector)"

CELLS = {"LSTM": "lstm", "GRU": "gru"}
ATTENTION = {"dot": "dot", "general": "general", "mlp": "additive", "none": "none"}

# option -> values that attnengine supports, one of which is the default
_OPTIONS: dict[str, tuple[object, ...]] = {
    "model_type": ("text", None),
    "model_task": ("seq2seq", None),
    "generator_function": ("softmax", "log_softmax", None),
    "copy_attn": (False, None),
}
RNN_OPTIONS: dict[str, tuple[object, ...]] = {
    **_OPTIONS,
    "encoder_type": ("rnn", "brnn"),
    "decoder_type": ("rnn",),
    "rnn_type": tuple(CELLS),
    "global_attention": (*ATTENTION, None),
    "global_attention_function": ("softmax", None),
    "brnn_merge": ("concat", None),
    "position_encoding": (False, None),
    "coverage_attn": (False, None),
    "context_gate": (None, ""),
}

TRANSFORMER_OPTIONS: dict[str, tuple[object, ...]] = {
    **_OPTIONS,
    "position_encoding": (True,),
    "aan_useffn": (False,),
    "max_relative_positions": (0,),
    "relative_positions_buckets": (0,),
    "parallel_residual": (False,),
    "layer_norm": ("standard",),
    "num_kv": (0,),
    "num_experts": (0,),
    "sliding_window": (0,),
    "quant_type": ("",),
}
SELF_ATTENTION = {
    "scaled-dot": "attention",
    "scaled-dot-flash": "attention",
    "average": "average",
}
ACTIVATIONS = {"relu": "relu", "gelu": "gelu"}
INTERLEAVED = "SinusoidalInterleaved"
LAYOUTS = {INTERLEAVED: "interleaved", "SinusoidalConcat": "halves"}
NORM_EPS = 1e-6
MAX_POSITIONS = 5000

BOS, EOS, PAD, UNK = "<s>", "</s>", "<blank>", "<unk>"
