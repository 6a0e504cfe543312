"""OpenNMT-py's RNN encoder-decoders: its names and the options that attnengine has."""

from __future__ import annotations

from attnengine.loaders.names import Table

TABLE: Table = (
    # "make_embedding" came in version 0.1
    (
        r"(encoder|decoder)\.embeddings\.(?:make_embedding\.)?emb_luts\.0\.weight",
        (r"\1.embedding.weight",),
    ),
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
    # "generator.0" up to version 2, "generator" in version 3
    (r"generator\.(?:0\.)?(weight|bias)", (r"decoder.output.\1",)),
)

# Weights that are vectors, though files may hold them as (1, size).
VECTORS = r".*\.(?:bias|bias_(?:ih|hh)_l[0-9]+(?:_reverse)?|vector)"

CELLS = {"LSTM": "lstm", "GRU": "gru"}
ATTENTION = {"dot": "dot", "general": "general", "mlp": "additive", "none": "none"}

# The values of each option that attnengine has; an option that a file lacks is one of them.
OPTIONS: dict[str, tuple[object, ...]] = {
    "model_type": ("text", None),
    "model_task": ("seq2seq", None),
    "encoder_type": ("rnn", "brnn"),
    "decoder_type": ("rnn",),
    "rnn_type": tuple(CELLS),
    "global_attention": (*ATTENTION, None),
    "global_attention_function": ("softmax", None),
    "generator_function": ("softmax", "log_softmax", None),
    "brnn_merge": ("concat", None),
    "position_encoding": (False, None),
    "copy_attn": (False, None),
    "coverage_attn": (False, None),
    "context_gate": (None, ""),
}

BOS, EOS, PAD, UNK = "<s>", "</s>", "<blank>", "<unk>"
