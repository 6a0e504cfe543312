"""Keras: which layers and options attnengine has."""

from __future__ import annotations

# Each recurrent layer's cell, and whether its weights have cuDNN's layout.
CELLS = {
    "SimpleRNN": ("elman", False),
    "GRU": ("gru", False),
    "LSTM": ("lstm", False),
    "CuDNNGRU": ("gru", True),
    "CuDNNLSTM": ("lstm", True),
}

# Layers around another one, and whether they run it in both directions.
WRAPPERS = {"Bidirectional": True, "TimeDistributed": False}

# Layers that do nothing when a model runs.
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

# What version 3 means by a name.
VERSION_3 = {"hard_sigmoid": "hard_sigmoid_6"}

# Options of recurrent layers that attnengine has with these values only; absent is the first.
CELL_ONLY = {"go_backwards": ("False",), "time_major": ("False",), "return_state": ("False",)}
