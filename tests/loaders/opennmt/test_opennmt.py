from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Checkpoint
from tests.loaders.opennmt.opennmt_files import (
    OpenNMT,
    opennmt,
    write_opennmt_npz,
    write_opennmt_pt,
)


def load(folder: Path, **switches: Any) -> tuple[Checkpoint, OpenNMT]:
    model = opennmt(**switches)
    return loaders.load(write_opennmt_npz(folder, model)), model


def test_config_of_the_common_model(tmp_path: Path) -> None:
    assert load(tmp_path, directions=2)[0].config == {
        "architecture": "rnn_seq2seq",
        "source_vocab_size": 5,
        "target_vocab_size": 6,
        "source_embedding_size": 3,
        "target_embedding_size": 3,
        "cell": "lstm",
        "nonlinearity": "tanh",
        "encoder_hidden_size": 2,
        "encoder_num_layers": 2,
        "bidirectional": True,
        "decoder_hidden_size": 4,
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
        "readout_size": 4,
        "tied_output": False,
        "max_positions": None,
        "tokenizer": {"source": "words", "target": "words"},
        "decoder_start_token_id": 2,
        "add_source_bos": False,
        "add_source_eos": False,
        "bos_token_id": 2,
        "eos_token_id": 3,
        "pad_token_id": 1,
        "unk_token_id": 0,
        "source_bos_token_id": None,
        "source_eos_token_id": None,
        "source_pad_token_id": 1,
        "source_unk_token_id": 0,
    }


@pytest.mark.parametrize("form", ["npz", "legacy", "zip"])
@pytest.mark.parametrize("new_names", [False, True])
@pytest.mark.parametrize("input_feed", [0, 1])
def test_names(tmp_path: Path, form: str, new_names: bool, input_feed: int) -> None:
    model = opennmt(new_names=new_names, input_feed=input_feed, layers=1)
    if form == "npz":
        path = write_opennmt_npz(tmp_path, model)
    else:
        path = write_opennmt_pt(tmp_path, model, legacy=form == "legacy")

    tensors = loaders.load(path).tensors

    middle = "make_embedding." if new_names else ""
    place = "decoder.rnn.layers.0.{}" if input_feed else "decoder.rnn.{}_l0"
    expected = {
        "encoder.embedding.weight": f"encoder.embeddings.{middle}emb_luts.0.weight",
        "decoder.embedding.weight": f"decoder.embeddings.{middle}emb_luts.0.weight",
        "decoder.attention.query.weight": "decoder.attn.linear_in.weight",
        "decoder.readout.weight": "decoder.attn.linear_out.weight",
        "decoder.output.weight": "generator.0.weight",
        "decoder.output.bias": "generator.0.bias",
    }
    for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        expected[f"encoder.rnn.{part}_l0"] = f"encoder.rnn.{part}_l0"
        expected[f"decoder.rnn.{part}_l0"] = place.format(part)
    assert {name: tensor.name for name, tensor in tensors.items()} == expected
    for name, old in expected.items():
        array = model.weights[old]
        array = array.reshape(-1) if "bias" in name else array
        assert tensors[name].shape == array.shape
        np.testing.assert_array_equal(tensors[name].read(), array, strict=True)


@pytest.mark.parametrize(
    ("attention", "query", "readout"),
    [("dot", None, "tanh"), ("general", "weight", "tanh"), ("mlp", "bias", "linear")],
)
def test_attention(tmp_path: Path, attention: str, query: str | None, readout: str) -> None:
    checkpoint, model = load(tmp_path, attention=attention)
    canonical = {"mlp": "additive"}.get(attention, attention)
    assert checkpoint.config["attention"] == canonical
    assert checkpoint.config["attention_size"] == (4 if attention == "mlp" else None)
    assert checkpoint.config["readout_activation"] == readout
    assert ("decoder.readout.bias" in checkpoint.tensors) == (attention == "mlp")
    assert query is None or f"decoder.attention.query.{query}" in checkpoint.tensors
    if attention == "mlp":
        vector = checkpoint.tensors["decoder.attention.vector"]
        expected = model.weights["decoder.attn.v.weight"][0]
        assert vector.shape == expected.shape
        np.testing.assert_array_equal(vector.read(), expected)
        assert "decoder.attention.key.weight" in checkpoint.tensors


def test_without_attention(tmp_path: Path) -> None:
    checkpoint, _ = load(tmp_path / "a", attention="none", input_feed=0)
    assert checkpoint.config["readout_inputs"] == ["hidden"]
    assert checkpoint.config["readout_activation"] == "none"
    assert checkpoint.config["readout_size"] is None
    with pytest.raises(Unsupported, match="input_feed is 1 without attention"):
        load(tmp_path / "b", attention="none")


def test_gru(tmp_path: Path) -> None:
    checkpoint, _ = load(tmp_path, cell="GRU")
    assert (checkpoint.config["cell"], checkpoint.config["bridge_cell"]) == ("gru", "zero")


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize("directions", [1, 2])
def test_bridge(tmp_path: Path, cell: str, directions: int) -> None:
    """OpenNMT-py's bridge reshapes the final states, applies one layer to each row, reshapes."""
    checkpoint, model = load(tmp_path, bridge=True, cell=cell, directions=directions)
    assert checkpoint.config["bridge_activation"] == "relu"
    layers, hidden = 2, 4 // directions
    rng = np.random.default_rng(1)
    states = rng.normal(size=(3, layers * directions, hidden)).astype(np.float32)
    names = ("hidden", "cell") if cell == "LSTM" else ("hidden",)
    assert sum(name.startswith("bridge.") for name in checkpoint.tensors) == 2 * len(names)
    for i, name in enumerate(names):
        old = f"encoder.bridge.{i}."
        rows = states.reshape(-1, layers * hidden)
        expected = rows @ model.weights[old + "weight"].T + model.weights[old + "bias"]
        weight = checkpoint.tensors[f"bridge.{name}.weight"]
        bias = checkpoint.tensors[f"bridge.{name}.bias"]
        assert (weight.shape, bias.shape) == ((8, 8), (8,))
        # ours: a row for each layer with its directions concatenated, in the same memory order
        found = states.reshape(3, 8) @ weight.read().T + bias.read()
        # sums of 4 or 8 products in another order
        np.testing.assert_allclose(found, expected.reshape(3, 8), rtol=1e-5, atol=1e-6)


SUPPORTED_AS_DEFAULT = {"copy_attn": 0, "coverage_attn": None, "model_task": "seq2seq"}


def test_options_that_say_what_is_so_anyway(tmp_path: Path) -> None:
    model = opennmt()
    options = {**model.options, **SUPPORTED_AS_DEFAULT}
    loaders.load(write_opennmt_npz(tmp_path, replace(model, options=options)))


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("copy_attn", True, Unsupported),
        ("coverage_attn", True, Unsupported),
        ("context_gate", "both", Unsupported),
        ("position_encoding", True, Unsupported),
        ("encoder_type", "transformer", Unsupported),
        ("encoder_type", "mean", Unsupported),
        ("decoder_type", "transformer", Unsupported),
        ("decoder_type", "cnn", Unsupported),
        ("rnn_type", "SRU", Unsupported),
        ("rnn_type", ["LSTM"], Unsupported),
        ("model_type", "img", Unsupported),
        ("model_task", "lm", Unsupported),
        ("brnn_merge", "sum", Unsupported),
        ("global_attention", "fancy", Unsupported),
        ("global_attention_function", "sparsemax", Unsupported),
        ("generator_function", "sparsemax", Unsupported),
        ("input_feed", 2, FormatError),
        ("input_feed", "yes", FormatError),
        ("decoder_start_token", "<none>", FormatError),
        ("decoder_start_token", ["<s>"], FormatError),
    ],
)
def test_options_name_themselves_and_their_value(
    tmp_path: Path, option: str, value: Any, error: type[Exception]
) -> None:
    model = opennmt()
    path = write_opennmt_npz(tmp_path, replace(model, options={**model.options, option: value}))
    message = "target vocabulary has no" if option == "decoder_start_token" else option
    with pytest.raises(error, match=message) as e:
        loaders.load(path)
    assert str(value) in str(e.value)


@pytest.mark.parametrize("option", ["rnn_type", "global_attention", "input_feed"])
def test_options_that_must_be_there(tmp_path: Path, option: str) -> None:
    model = opennmt()
    options = {key: value for key, value in model.options.items() if key != option}
    with pytest.raises(FormatError, match=f"the option {option} is missing"):
        loaders.load(write_opennmt_npz(tmp_path, replace(model, options=options)))


@pytest.mark.parametrize(
    ("added", "removed", "error", "message"),
    [
        ("encoder.embeddings.emb_luts.1.weight", None, Unsupported, r"emb_luts\.1"),
        ("decoder.copy_attn.linear_out.weight", None, Unsupported, "copy_attn"),
        (None, "encoder.embeddings.emb_luts.0.weight", FormatError, "encoder.embedding.weight is"),
        (None, "decoder.rnn.layers.0.weight_hh", FormatError, "weight_hh_l0 is missing"),
        (None, "decoder.rnn.layers.1.weight_hh", Unsupported, "2 encoder layers and 1 decoder"),
        ("decoder.rnn.layers.3.weight_hh", None, FormatError, "are 0, 1, 3, expected 0, 1,"),
        ("decoder.rnn.weight_hh_l0", None, FormatError, r"are both decoder\.rnn\.weight_hh_l0"),
        ("generator.weight", None, FormatError, "are both"),
    ],
)
def test_weights_that_do_not_belong(
    tmp_path: Path, added: str | None, removed: str | None, error: Any, message: str
) -> None:
    model = opennmt()
    weights = {name: array for name, array in model.weights.items() if name != removed}
    if added is not None:
        weights[added] = np.zeros((16, 4), np.float32)
    with pytest.raises(error, match=message):
        loaders.load(write_opennmt_npz(tmp_path, replace(model, weights=weights)))


# ---- real models ------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize("suffix", ["pt", "npz"])
@pytest.mark.parametrize(
    ("name", "layers", "directions", "hidden", "sizes", "special"),
    [
        ("modelA_9653b3a", 1, 1, 100, (69, 31), (2, 3, 1)),
        ("modelB_5f8572b", 2, 2, 150, (71, 35), (33, 31, 32)),
    ],
)
def test_real_models(
    models: Path,
    suffix: str,
    name: str,
    layers: int,
    directions: int,
    hidden: int,
    sizes: tuple[int, int],
    special: tuple[int, int, int],
) -> None:
    checkpoint = loaders.load(models / "opennmt-morph" / f"{name}.{suffix}")
    config = checkpoint.config
    assert (config["source_vocab_size"], config["target_vocab_size"]) == sizes
    assert config["encoder_num_layers"] == config["decoder_num_layers"] == layers
    assert config["encoder_hidden_size"] * directions == config["decoder_hidden_size"] == hidden
    assert config["bidirectional"] == (directions == 2)
    assert (config["bos_token_id"], config["eos_token_id"], config["pad_token_id"]) == special
    assert config["decoder_start_token_id"] == special[0]
    assert checkpoint.tensors["decoder.rnn.bias_ih_l0"].shape == (4 * hidden,)
    with np.load(models / "opennmt-morph" / f"{name}.npz") as archive:
        assert len(archive.files) == len(checkpoint.tensors)
        for tensor in checkpoint.tensors.values():
            expected = archive[tensor.name].reshape(tensor.shape)
            np.testing.assert_array_equal(tensor.read(), expected, strict=True)
