"""Marian's RNN and Transformer encoder-decoders: names and supported options.

Layers are counted from 0 here; Marian counts them from 1.
"""

from __future__ import annotations

from attnengine.loaders.shared.renaming import Table
from attnengine.loaders.shared.rnn_cells import cell_rows

_CELL = ("W", "Wx", "U", "Ux", "b", "bx")


def _cell(place: str, prefix: str, suffix: str, bias: str) -> Table:
    return cell_rows([f"{place}_{name}" for name in _CELL], prefix, suffix, bias)


_TRAINING: Table = ((r"special:model\.yml", ()),)

RNN_TABLE: Table = (
    (r"(encoder|decoder)_Wemb", (r"\1.embedding.weight",)),
    *_cell("encoder_bi", "encoder.rnn", "l0", "ih"),
    *_cell("encoder_bi_r", "encoder.rnn", "l0_reverse", "ih"),
    (r"decoder_ff_state_W", ("bridge.hidden.weight",)),
    (r"decoder_ff_state_b", ("bridge.hidden.bias",)),
    *_cell("decoder_cell1", "decoder.rnn", "l0", "ih"),
    *_cell("decoder_cell2", "decoder.transition", "l0", "hh"),
    *_cell(r"decoder_l([0-9]{1,3})_cell1", "decoder.rnn", r"l\1", "ih"),
    (r"decoder_W_comb_att", ("decoder.attention.query.weight",)),
    (r"decoder_Wc_att", ("decoder.attention.key.weight",)),
    (r"decoder_b_att", ("decoder.attention.key.bias",)),
    (r"decoder_U_att", ("decoder.attention.vector",)),
    (r"decoder_ff_logit_l1_W([0-2])", (r"decoder.readout.weight@\1",)),
    (r"decoder_ff_logit_l1_b([0-2])", (r"decoder.readout.bias+\1",)),
    (r"decoder_ff_logit_l2_W", ("decoder.output.weight",)),
    (r"decoder_ff_logit_l2_b", ("decoder.output.bias",)),
    *_TRAINING,
)

_LAYER = r"(encoder|decoder)_l([0-9]{1,3})"

TRANSFORMER_TABLE: Table = (
    (r"(encoder|decoder)_Wemb", (r"\1.embed_tokens.weight",)),
    (r"(encoder|decoder)_Wpos", (r"\1.embed_positions.weight",)),
    (_LAYER + r"_self_W([qkv])", (r"\1.layers.\2.self_attn.\3_proj.weight",)),
    (_LAYER + r"_self_b([qkv])", (r"\1.layers.\2.self_attn.\3_proj.bias",)),
    (_LAYER + r"_self_Wo", (r"\1.layers.\2.self_attn.out_proj.weight",)),
    (_LAYER + r"_self_bo", (r"\1.layers.\2.self_attn.out_proj.bias",)),
    (_LAYER + r"_context_W([qkv])", (r"\1.layers.\2.encoder_attn.\3_proj.weight",)),
    (_LAYER + r"_context_b([qkv])", (r"\1.layers.\2.encoder_attn.\3_proj.bias",)),
    (_LAYER + r"_context_Wo", (r"\1.layers.\2.encoder_attn.out_proj.weight",)),
    (_LAYER + r"_context_bo", (r"\1.layers.\2.encoder_attn.out_proj.bias",)),
    (_LAYER + r"_rnn_W", (r"\1.layers.\2.ssru.input.weight",)),
    (_LAYER + r"_rnn_Wf", (r"\1.layers.\2.ssru.forget.weight",)),
    (_LAYER + r"_rnn_bf", (r"\1.layers.\2.ssru.forget.bias",)),
    (_LAYER + r"_rnn_ffn_ln_scale", (r"\1.layers.\2.self_attn_layer_norm.weight",)),
    (_LAYER + r"_rnn_ffn_ln_bias", (r"\1.layers.\2.self_attn_layer_norm.bias",)),
    (_LAYER + r"_rnn_ln_scale_pre", (r"\1.layers.\2.self_attn_layer_norm.weight",)),
    (_LAYER + r"_rnn_ln_bias_pre", (r"\1.layers.\2.self_attn_layer_norm.bias",)),
    (_LAYER + r"_aan_W([12])", (r"\1.layers.\2.average.fc\3.weight",)),
    (_LAYER + r"_aan_b([12])", (r"\1.layers.\2.average.fc\3.bias",)),
    # the gate of x reads only x, and the gate of y only y
    (_LAYER + r"_aan_Wi", (r"\1.layers.\2.average.gate.weight/0",)),
    (_LAYER + r"_aan_Wf", (r"\1.layers.\2.average.gate.weight/1",)),
    (_LAYER + r"_aan_bi", (r"\1.layers.\2.average.gate.bias#0",)),
    (_LAYER + r"_aan_bf", (r"\1.layers.\2.average.gate.bias#1",)),
    (_LAYER + r"_aan_ffn_ln_scale", (r"\1.layers.\2.self_attn_layer_norm.weight",)),
    (_LAYER + r"_aan_ffn_ln_bias", (r"\1.layers.\2.self_attn_layer_norm.bias",)),
    (_LAYER + r"_self_Wo_ln_scale(?:_pre)?", (r"\1.layers.\2.self_attn_layer_norm.weight",)),
    (_LAYER + r"_self_Wo_ln_bias(?:_pre)?", (r"\1.layers.\2.self_attn_layer_norm.bias",)),
    (_LAYER + r"_context_Wo_ln_scale(?:_pre)?", (r"\1.layers.\2.encoder_attn_layer_norm.weight",)),
    (_LAYER + r"_context_Wo_ln_bias(?:_pre)?", (r"\1.layers.\2.encoder_attn_layer_norm.bias",)),
    (_LAYER + r"_ffn_W([12])", (r"\1.layers.\2.fc\3.weight",)),
    (_LAYER + r"_ffn_b([12])", (r"\1.layers.\2.fc\3.bias",)),
    (_LAYER + r"_ffn_ffn_ln_scale(?:_pre)?", (r"\1.layers.\2.final_layer_norm.weight",)),
    (_LAYER + r"_ffn_ffn_ln_bias(?:_pre)?", (r"\1.layers.\2.final_layer_norm.bias",)),
    (r"(encoder|decoder)_top_ln_scale", (r"\1.layer_norm.weight",)),
    (r"(encoder|decoder)_top_ln_bias", (r"\1.layer_norm.bias",)),
    (r"decoder_ff_logit_out_W", ("lm_head.weight",)),
    (r"decoder_ff_logit_out_b", ("lm_head.bias",)),
    *_TRAINING,
)

VECTORS = r".*(?:\.bias|\.bias_(?:ih|hh)_.*|\.vector|_norm\.weight)(?:[#+@/][0-9])?"
KEPT = r".*embed.*"

CELLS = {"gru": "gru", "gru-nematus": "gru", "lstm": "lstm"}
LSTM_GATES = (1, 0, 2, 3)  # Marian's order is forget, input, cell, output
ACTIVATIONS = {"relu": "relu", "swish": "silu"}

SELF_ATTENTION = {"self-attention": "attention", "rnn": "ssru", "average-attention": "average"}

# (preprocess, postprocess, top) -> placement of norms; "d" is dropout and has been removed
NORM_PLACEMENTS = {("", "an", ""): "post", ("n", "a", "n"): "pre"}

# option -> values that attnengine supports, the default first
ANY_ONLY: dict[str, tuple[str, ...]] = {
    "ulr": ("false",),
    "lemma-dim-emb": ("0",),
    "factors-dim-emb": ("0",),
}
RNN_ONLY: dict[str, tuple[str, ...]] = {
    **ANY_ONLY,
    "enc-type": ("bidirectional", "bi-unidirectional", "alternating"),  # equal for one layer
    "enc-depth": ("1",),
    "enc-cell-depth": ("1",),
    "dec-cell-base-depth": ("2",),
    "dec-cell-high-depth": ("1",),
    "skip": ("false",),
    "layer-normalization": ("false",),
}
TRANSFORMER_ONLY: dict[str, tuple[str, ...]] = {
    **ANY_ONLY,
    "transformer-rnn-projection": ("false",),
    "transformer-aan-nogate": ("false",),
    "transformer-no-projection": ("false",),
    "transformer-ffn-depth": ("2",),
    "transformer-decoder-ffn-depth": ("0", "2"),
    "transformer-postprocess-emb": ("d", ""),
    "transformer-pool": ("false",),
}

NORM_EPS = 1e-6
MAX_POSITIONS = 1024  # sinusoids have no limit
