"""Tiny configs of every architecture; tests change a key or two."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]

# Every switch of a recurrent cell, by what tests call it.
CELLS: dict[str, Config] = {
    "elman": {"cell": "elman"},
    "elman, relu": {"cell": "elman", "nonlinearity": "relu"},
    "gru": {"cell": "gru"},
    "gru, reset before": {"cell": "gru", "reset": "before"},
    "gru, reset before, hard": {
        "cell": "gru",
        "reset": "before",
        "gate_activation": "hard_sigmoid",
        "nonlinearity": "relu",
    },
    "gru, hard": {"cell": "gru", "gate_activation": "hard_sigmoid"},
    "lstm": {"cell": "lstm"},
    "lstm, hard": {"cell": "lstm", "gate_activation": "hard_sigmoid_6"},
    "lstm, linear": {"cell": "lstm", "nonlinearity": "linear"},
    "lstm, peepholes": {"cell": "lstm", "peepholes": True, "cell_clip": 0.5},
    "lstm, projection": {"cell": "lstm", "projection_size": 3},
    "lstm, everything": {
        "cell": "lstm",
        "peepholes": True,
        "cell_clip": 0.5,
        "projection_size": 12,
        "projection_clip": 0.5,
    },
}

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

RNN_WINDOW_LM: Config = RNN_ENCODER | {
    "architecture": "rnn_window_lm",
    "bidirectional": False,
    "states": "all",
    "pooling": "attention",
    "window": 3,
    "window_padding_id": 0,
    "max_positions": None,
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

LLAMA: Config = {
    "architecture": "llama",
    "vocab_size": 13,
    "hidden_size": 24,
    "intermediate_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 150,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10_000.0,
    "rope_scaling": None,
    "tie_word_embeddings": False,
}

QWEN2: Config = LLAMA | {"architecture": "qwen2", "rope_theta": 1e6}

GPT2: Config = {
    "architecture": "gpt2",
    "vocab_size": 13,
    "n_embd": 12,
    "n_layer": 2,
    "n_head": 3,
    "n_positions": 150,
}

MARIAN: Config = {
    "architecture": "marian",
    "source_vocab_size": 13,
    "target_vocab_size": 13,
    "d_model": 12,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 20,
    "decoder_ffn_dim": 20,
    "max_position_embeddings": 150,
    "activation_function": "swish",
    "scale_embedding": True,
}

# Every scaling of rotary positions, with the numbers of published models where they are small.
SCALINGS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "default": {"rope_type": "default"},
    "dynamic": {"rope_type": "dynamic", "factor": 2.0},
    "linear": {"rope_type": "linear", "factor": 2.5},
    "llama3": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    },
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32},
    "yarn, own factor": {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 64,
        "attention_factor": 1.5,
        "beta_fast": 8.0,
        "beta_slow": 2.0,
    },
    "yarn, mscale": {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 64,
        "mscale": 1.0,
        "mscale_all_dim": 0.5,
        "truncate": False,
    },
}
