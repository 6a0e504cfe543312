"""JoeyNMT's RNN and Transformer encoder-decoders: names and supported options.

Kreutzer et al. 2019, "Joey NMT: A Minimalist NMT Toolkit for Novices".
"""

from __future__ import annotations

from attnengine.loaders.shared.renaming import Table

RNN_TABLE: Table = (
    (r"src_embed\.lut\.weight", ("encoder.embedding.weight",)),
    (r"trg_embed\.lut\.weight", ("decoder.embedding.weight",)),
    (
        r"(encoder|decoder)\.rnn\.((?:weight|bias)_(?:ih|hh)_l[0-9]{1,3}(?:_reverse)?)",
        (r"\1.rnn.\2",),
    ),
    (r"decoder\.bridge_layer\.(weight|bias)", (r"bridge.hidden.\1",)),
    (r"decoder\.attention\.query_layer\.weight", ("decoder.attention.query.weight",)),
    (r"decoder\.attention\.key_layer\.weight", ("decoder.attention.key.weight",)),
    (r"decoder\.attention\.energy_layer\.weight", ("decoder.attention.vector",)),
    (r"decoder\.att_vector_layer\.(weight|bias)", (r"decoder.readout.\1",)),
    (r"decoder\.output_layer\.weight", ("decoder.output.weight",)),
)


def _attention(place: str, canonical: str) -> Table:
    return (
        (rf"{place}\.([qkv])_layer\.(weight|bias)", (rf"{canonical}.\2_proj.\3",)),
        (rf"{place}\.output_layer\.(weight|bias)", (rf"{canonical}.out_proj.\2",)),
    )


_LAYER = r"{}\.layers\.([0-9]{{1,3}})"
_ENCODER, _DECODER = _LAYER.format("encoder"), _LAYER.format("decoder")
_IN_ENCODER, _IN_DECODER = r"encoder.layers.\1", r"decoder.layers.\1"


def _feed_forward(place: str, canonical: str) -> Table:
    return (
        (rf"{place}\.feed_forward\.pwff_layer\.0\.(weight|bias)", (rf"{canonical}.fc1.\2",)),
        (rf"{place}\.feed_forward\.pwff_layer\.3\.(weight|bias)", (rf"{canonical}.fc2.\2",)),
        (
            rf"{place}\.feed_forward\.layer_norm\.(weight|bias)",
            (rf"{canonical}.final_layer_norm.\2",),
        ),
    )


TRANSFORMER_TABLE: Table = (
    (r"src_embed\.lut\.weight", ("encoder.embed_tokens.weight",)),
    (r"trg_embed\.lut\.weight", ("decoder.embed_tokens.weight",)),
    (r"(?:encoder|decoder)\.pe\.pe", ()),  # sinusoids
    *_attention(rf"{_ENCODER}\.src_src_att", rf"{_IN_ENCODER}.self_attn"),
    (
        rf"{_ENCODER}\.layer_norm\.(weight|bias)",
        (rf"{_IN_ENCODER}.self_attn_layer_norm.\2",),
    ),
    *_feed_forward(_ENCODER, _IN_ENCODER),
    *_attention(rf"{_DECODER}\.trg_trg_att", rf"{_IN_DECODER}.self_attn"),
    (
        rf"{_DECODER}\.x_layer_norm\.(weight|bias)",
        (rf"{_IN_DECODER}.self_attn_layer_norm.\2",),
    ),
    *_attention(rf"{_DECODER}\.src_trg_att", rf"{_IN_DECODER}.encoder_attn"),
    (
        rf"{_DECODER}\.dec_layer_norm\.(weight|bias)",
        (rf"{_IN_DECODER}.encoder_attn_layer_norm.\2",),
    ),
    *_feed_forward(_DECODER, _IN_DECODER),
    (r"(encoder|decoder)\.layer_norm\.(weight|bias)", (r"\1.layer_norm.\2",)),
    (r"decoder\.output_layer\.weight", ("lm_head.weight",)),
)

# option -> values that attnengine supports, the default first
ONLY: dict[str, tuple[str, ...]] = {"alpha": ("1.0", "1")}

CELLS = {"gru": "gru", "lstm": "lstm"}
ATTENTION = {"bahdanau": "additive", "luong": "general"}
READOUTS = {"tanh": "tanh", "relu": "relu"}
ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "swish": "silu"}

# first ids of every vocabulary; its file may omit them
SPECIAL = ("<unk>", "<pad>", "<s>", "</s>")
UNK_ID, PAD_ID, BOS_ID, EOS_ID = range(len(SPECIAL))

NORM_EPS = 1e-6
MAX_POSITIONS = 5000
