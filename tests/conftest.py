"""Tiny models with random weights, written as native folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import attnengine as ae
from attnengine.reference.random_weights import random_weights
from tests.helpers.cli_runs import Run

SOURCE = ["<unk>", "</s>", *"abcdefgh"]
TARGET = ["<s>", "</s>", *(f"P{i}" for i in range(9))]
LETTERS = ["<s>", "</s>", *"abcde \n", "é"]

SEQ2SEQ: dict[str, Any] = {
    "architecture": "rnn_seq2seq",
    "tokenizer": {"source": "characters", "target": "words"},
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
    "unk_token_id": None,
    "decoder_start_token_id": 0,
    "add_source_bos": False,
    "add_source_eos": True,
    "source_bos_token_id": None,
    "source_eos_token_id": 1,
    "source_pad_token_id": None,
    "source_unk_token_id": 0,
    "source_vocab_size": len(SOURCE),
    "target_vocab_size": len(TARGET),
    "source_embedding_size": 6,
    "target_embedding_size": 5,
    "cell": "gru",
    "nonlinearity": "tanh",
    "encoder_hidden_size": 7,
    "encoder_num_layers": 1,
    "bidirectional": True,
    "decoder_hidden_size": 9,
    "decoder_num_layers": 1,
    "bridge_input": "final",
    "bridge_activation": "tanh",
    "bridge_cell": "zero",
    "attention": "additive",
    "attention_size": 8,
    "attention_query": "new",
    "input_feeding": False,
    "readout_inputs": ["hidden", "context"],
    "readout_activation": "tanh",
    "readout_size": 6,
    "tied_output": False,
    "max_positions": None,
}
LANGUAGE_MODEL: dict[str, Any] = {
    "architecture": "rnn_lm",
    "tokenizer": "characters",
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
    "unk_token_id": None,
    "vocab_size": len(LETTERS),
    "embedding_size": 6,
    "hidden_size": 8,
    "num_layers": 2,
    "cell": "lstm",
    "nonlinearity": "tanh",
    "tied_output": False,
    "max_positions": None,
}
ENCODER: dict[str, Any] = {
    "architecture": "rnn_encoder",
    "tokenizer": "words",
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
    "unk_token_id": 0,
    "vocab_size": len(SOURCE),
    "embedding_size": 6,
    "hidden_size": 5,
    "num_layers": 1,
    "cell": "gru",
    "nonlinearity": "tanh",
    "bidirectional": True,
    "pooling": "mean",
}
TRANSFORMER: dict[str, Any] = {
    **{
        key: SEQ2SEQ[key] for key in list(SEQ2SEQ)[1 : list(SEQ2SEQ).index("target_vocab_size") + 1]
    },
    "architecture": "transformer",
    "hidden_size": 8,
    "intermediate_size": 12,
    "encoder_num_layers": 1,
    "decoder_num_layers": 2,
    "num_heads": 2,
    "norm_placement": "post",
    "final_norm": False,
    "norm_eps": 1e-5,
    "activation": "relu",
    "positions": "sinusoidal",
    "position_layout": "interleaved",
    "position_offset": 0,
    "max_positions": 12,
    "scale_embeddings": True,
    "shared_embeddings": False,
    "tied_output": False,
}
VOCABULARIES: dict[str, dict[str, list[str]]] = {
    "rnn_seq2seq": {"source": SOURCE, "target": TARGET},
    "transformer": {"source": SOURCE, "target": TARGET},
    "rnn_lm": {"vocabulary": LETTERS},
    "rnn_encoder": {"vocabulary": SOURCE},
}
CONFIGS = {
    config["architecture"]: config for config in (SEQ2SEQ, TRANSFORMER, LANGUAGE_MODEL, ENCODER)
}

WriteModel = Callable[..., Path]


@pytest.fixture(scope="session")
def write_model(tmp_path_factory: pytest.TempPathFactory) -> WriteModel:
    """``write_model(architecture, vocabularies=None, **changes)``: the folder of a new model."""

    def write(
        architecture: str, vocabularies: dict[str, list[str]] | None = None, **changes: Any
    ) -> Path:
        config = {**CONFIGS[architecture], **changes}
        if vocabularies is None:
            vocabularies = VOCABULARIES[architecture]
        folder = tmp_path_factory.mktemp(architecture)
        # With these scales and biases some hypotheses end soon and some never end.
        # No hypothesis generates the start token.
        weights = random_weights(config, seed=3)
        if architecture == "rnn_lm":
            weights = {name: 2 * w for name, w in weights.items()}
            weights["output.bias"][:2] = [-20, 0]
        if architecture == "rnn_seq2seq":
            weights["decoder.output.bias"][:2] = [-20, 1]
        ae.save(folder, config, weights, vocabularies)
        return folder

    return write


@pytest.fixture(scope="session")
def seq2seq_path(write_model: WriteModel) -> Path:
    return write_model("rnn_seq2seq")


@pytest.fixture(scope="session")
def seq2seq(seq2seq_path: Path) -> ae.Seq2Seq:
    model = ae.load(seq2seq_path, num_threads=1)
    assert isinstance(model, ae.Seq2Seq)
    return model


@pytest.fixture(scope="session")
def lm_path(write_model: WriteModel) -> Path:
    return write_model("rnn_lm")


@pytest.fixture(scope="session")
def lm(lm_path: Path) -> ae.LanguageModel:
    model = ae.load(lm_path, num_threads=1)
    assert isinstance(model, ae.LanguageModel)
    return model


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsysbinary, monkeypatch)
