"""Tiny configs of every architecture; tests change a key or two."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]

RNN_LM: Config = {
    "architecture": "rnn_lm",
    "vocab_size": 13,
    "embedding_size": 10,
    "hidden_size": 10,
    "num_layers": 2,
    "cell": "lstm",
    "nonlinearity": "tanh",
    "tied_output": False,
    "max_positions": None,
}

RNN_ENCODER: Config = {
    "architecture": "rnn_encoder",
    "vocab_size": 13,
    "embedding_size": 7,
    "hidden_size": 5,
    "num_layers": 2,
    "cell": "gru",
    "nonlinearity": "tanh",
    "bidirectional": True,
    "pooling": "mean",
}

RNN_SEQ2SEQ: Config = {
    "architecture": "rnn_seq2seq",
    "source_vocab_size": 11,
    "target_vocab_size": 13,
    "source_embedding_size": 7,
    "target_embedding_size": 9,
    "cell": "lstm",
    "nonlinearity": "tanh",
    "encoder_hidden_size": 5,
    "encoder_num_layers": 2,
    "bidirectional": True,
    "decoder_hidden_size": 10,
    "decoder_num_layers": 2,
    "bridge_input": "final",
    "bridge_activation": "none",
    "bridge_cell": "own",
    "attention": "general",
    "attention_size": None,
    "attention_query": "new",
    "input_feeding": True,
    "readout_inputs": ["context", "hidden"],
    "readout_activation": "tanh",
    "readout_size": 9,
    "tied_output": False,
    "max_positions": None,
}

TRANSFORMER: Config = {
    "architecture": "transformer",
    "source_vocab_size": 11,
    "target_vocab_size": 13,
    "hidden_size": 12,
    "intermediate_size": 20,
    "encoder_num_layers": 2,
    "decoder_num_layers": 2,
    "num_heads": 3,
    "norm_placement": "pre",
    "final_norm": True,
    "norm_eps": 1e-5,
    "activation": "relu",
    "positions": "sinusoidal",
    "position_layout": "halves",
    "position_offset": 1,
    "max_positions": 200,
    "scale_embeddings": True,
    "shared_embeddings": False,
    "tied_output": False,
}
