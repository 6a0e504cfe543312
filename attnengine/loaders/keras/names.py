"""Keras layers and options that attnengine supports."""

from __future__ import annotations

# recurrent layer -> cell, and whether its weights have cuDNN's layout
CELLS = {
    "SimpleRNN": ("elman", False),
    "GRU": ("gru", False),
    "LSTM": ("lstm", False),
    "CuDNNGRU": ("gru", True),
    "CuDNNLSTM": ("lstm", True),
}

# wrapper of a layer -> whether it runs the layer in both directions
WRAPPERS = {"Bidirectional": True, "TimeDistributed": False}

# layers without effect at inference
IGNORED = frozenset(
    (
        "AlphaDropout",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "InputLayer",
        "SpatialDropout1D",
    )
)

ACTIVATIONS = {name: name for name in ("tanh", "relu", "linear", "sigmoid", "hard_sigmoid")}
GATES = {name: name for name in ("sigmoid", "hard_sigmoid")}

# name of an activation in version 3 -> our name
VERSION_3 = {"hard_sigmoid": "hard_sigmoid_6"}

# option of recurrent layers -> supported values, the default first
CELL_ONLY = {"go_backwards": ("False",), "time_major": ("False",), "return_state": ("False",)}
