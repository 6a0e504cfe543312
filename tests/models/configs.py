"""Tiny configs of every architecture; tests change single keys."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]

# name in tests -> switches of a recurrent cell; together they cover every switch
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

TRANSFORMER_LM: Config = {
    "architecture": "transformer_lm",
    "vocab_size": 13,
    "hidden_size": 12,
    "intermediate_size": 20,
    "num_layers": 2,
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

MISTRAL: Config = LLAMA | {"architecture": "mistral"}

MIXTRAL: Config = LLAMA | {
    "architecture": "mixtral",
    "num_local_experts": 5,
    "num_experts_per_tok": 2,
}

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

T5: Config = {
    "architecture": "t5",
    "source_vocab_size": 13,
    "target_vocab_size": 13,
    "d_model": 12,
    "d_kv": 5,
    "d_ff": 20,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 3,
    "feed_forward_proj": "gated-gelu",
    "relative_attention_num_buckets": 12,
    "relative_attention_max_distance": 30,
}

WHISPER: Config = {
    "architecture": "whisper",
    "vocab_size": 13,
    "num_mel_bins": 5,
    "d_model": 12,
    "encoder_layers": 2,
    "encoder_attention_heads": 3,
    "encoder_ffn_dim": 20,
    "decoder_layers": 2,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 16,
    "max_source_positions": 20,
    "max_target_positions": 30,
    "language_token_ids": {"en": 3, "de": 4},
    "task_token_ids": {"transcribe": 5, "translate": 6},
    "no_timestamps_token_id": 7,
}

# Every scaling of rotary positions, with the numbers of published models if these are small.
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
