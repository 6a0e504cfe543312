"""Nematus' RNN encoder-decoders, with the parameter names of its Theano version.

Sennrich et al. 2017, "Nematus: a Toolkit for Neural Machine Translation".
"""

from __future__ import annotations

from attnengine.loaders.shared.renaming import Table
from attnengine.loaders.shared.rnn_cells import cell_rows

_CELL = ("W", "Wx", "U", "Ux", "b", "bx")
_SECOND = ("Wc", "Wcx", "U_nl", "Ux_nl", "b_nl", "bx_nl")

TABLE: Table = (
    (r"Wemb", ("encoder.embedding.weight",)),
    (r"Wemb_dec", ("decoder.embedding.weight",)),
    *cell_rows([f"encoder_{name}" for name in _CELL], "encoder.rnn", "l0", "ih"),
    *cell_rows([f"encoder_r_{name}" for name in _CELL], "encoder.rnn", "l0_reverse", "ih"),
    (r"ff_state_W", ("bridge.hidden.weight",)),
    (r"ff_state_b", ("bridge.hidden.bias",)),
    *cell_rows([f"decoder_{name}" for name in _CELL], "decoder.rnn", "l0", "ih"),
    *cell_rows([f"decoder_{name}" for name in _SECOND], "decoder.transition", "l0", "hh"),
    (r"decoder_W_comb_att", ("decoder.attention.query.weight",)),
    (r"decoder_Wc_att", ("decoder.attention.key.weight",)),
    (r"decoder_b_att", ("decoder.attention.key.bias",)),
    (r"decoder_U_att", ("decoder.attention.vector",)),
    (r"decoder_c_tt", ()),  # added to every score: no weight changes
    (r"ff_logit_prev_W", ("decoder.readout.weight@0",)),
    (r"ff_logit_lstm_W", ("decoder.readout.weight@1",)),
    (r"ff_logit_ctx_W", ("decoder.readout.weight@2",)),
    (r"ff_logit_prev_b", ("decoder.readout.bias+0",)),
    (r"ff_logit_lstm_b", ("decoder.readout.bias+1",)),
    (r"ff_logit_ctx_b", ("decoder.readout.bias+2",)),
    (r"ff_logit_W", ("decoder.output.weight",)),
    (r"ff_logit_b", ("decoder.output.bias",)),
    # state of the training
    (r"history_errs|uidx|adam_.*|.*_special:.*|special:model\.yml", ()),
)

# Weights that are vectors, stored as a row or a column, and weights that are not (input, output).
VECTORS = r".*\.(?:bias|bias_(?:ih|hh)_.*|vector)(?:[#+@][0-9])?"
KEPT = r".*embed.*"

# inputs of the readout, in the order of the parts above
READOUT_INPUTS = ["embedding", "hidden", "context"]

# option -> values that attnengine supports, the default first
ONLY: dict[str, tuple[str, ...]] = {
    "encoder": ("gru",),
    "decoder": ("gru_cond",),
    "factors": ("1",),
    "enc_depth": ("1",),
    "dec_depth": ("1",),
    "enc_recurrence_transition_depth": ("1",),
    "dec_base_recurrence_transition_depth": ("2",),
    "layer_normalisation": ("False",),
    "use_layer_norm": ("False",),
    "weight_normalisation": ("False",),
    "output_hidden_activation": ("tanh",),
    "softmax_mixture_size": ("1",),
    "deep_fusion_lm": ("None", ""),
    "model_type": ("rnn",),
}

# Ids that Nematus and Marian fix.
EOS_ID, UNK_ID = 0, 1
START = "<s>"  # our token for the embedding of zeros that starts a target
EOS_TOKENS, UNK_TOKENS = ("</s>", "eos", "<EOS>"), ("<unk>", "UNK", "<UNK>")
