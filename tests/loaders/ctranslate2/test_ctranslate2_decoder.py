from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.ctranslate2.ctranslate2_files import (
    decoder,
    encoder_decoder,
    llama,
    model_bytes,
    write_decoder,
)
from tests.loaders.ctranslate2.ctranslate2_files import write_ctranslate2 as write_encoder_decoder

ATTENTION = "decoder/layer_0/self_attention"


def test_a_decoder_of_layer_norms(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_decoder(tmp_path, decoder()))
    assert checkpoint.config == {
        "architecture": "transformer_lm",
        "vocab_size": 6,
        "hidden_size": 8,
        "intermediate_size": 6,
        "num_layers": 2,
        "num_heads": 8,
        "norm_placement": "pre",
        "final_norm": True,
        "norm_eps": 1e-5,
        "activation": "relu",
        "positions": "sinusoidal",
        "position_layout": "halves",
        "position_offset": 1,
        "max_positions": 1024,
        "scale_embeddings": True,
        "embedding_norm": False,
        "tied_output": False,
        "tokenizer": "words",
        "add_bos": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "unk_token_id": 4,
    }
    assert ae.load(tmp_path).logits([1, 3]).shape == (2, 6)


def test_a_gated_decoder(tmp_path: Path) -> None:
    variables = llama()
    checkpoint = loaders.load(write_decoder(tmp_path, variables))
    expected = {
        "architecture": "llama",
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 2,
        "intermediate_size": 6,
        "rms_norm_eps": 1e-6,
        "hidden_act": "silu",
        "rope_theta": 10_000.0,
        "rope_scaling": None,
        "attention_bias": False,
        "tie_word_embeddings": False,
    }
    assert {key: checkpoint.config[key] for key in expected} == expected
    fused = variables[f"{ATTENTION}/linear_0/weight"]
    for name, rows in (("q", slice(8)), ("k", slice(8, 12)), ("v", slice(12, 16))):
        weight = checkpoint.tensors[f"model.layers.0.self_attn.{name}_proj.weight"]
        np.testing.assert_array_equal(weight.read(), fused[rows], strict=True)
    assert ae.load(tmp_path).logits([1, 3]).shape == (2, 6)


def test_interleaved_pairs_become_halves(tmp_path: Path) -> None:
    variables = llama(heads=2, kv_heads=2)
    variables[f"{ATTENTION}/rotary_interleave"] = np.array(np.int8(1))
    tensors = loaders.load(write_decoder(tmp_path, variables)).tensors
    fused, order = variables[f"{ATTENTION}/linear_0/weight"], [0, 2, 1, 3, 4, 6, 5, 7]
    for name, rows in (("q", slice(8)), ("k", slice(8, 16))):
        weight = tensors[f"model.layers.0.self_attn.{name}_proj.weight"].read()
        np.testing.assert_array_equal(weight, fused[rows][order])


def test_a_gated_decoder_without_rotary_positions(tmp_path: Path) -> None:
    variables = llama()
    del variables[f"{ATTENTION}/rotary_dim"]
    with pytest.raises(Unsupported, match="rotary_dim is None, expected 0"):
        loaders.load(write_decoder(tmp_path, variables))


def test_biases_of_the_inputs_alone_make_a_qwen2(tmp_path: Path) -> None:
    variables = llama() | {f"{ATTENTION}/linear_0/bias": np.ones(16, np.float32)}
    assert loaders.load(write_decoder(tmp_path, variables)).config["architecture"] == "qwen2"
    variables[f"{ATTENTION}/linear_1/bias"] = np.ones(8, np.float32)
    config = loaders.load(write_decoder(tmp_path, variables)).config
    assert (config["architecture"], config["attention_bias"]) == ("llama", True)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("rotary_base", np.float32(5e5), {"rope_theta": 5e5}),
        ("rotary_dim", np.int32(2), {"head_dim": 2}),
        ("rotary_scaling_type", np.int8(-1), {"rope_scaling": None}),
        (
            "rotary_scaling_factor",
            np.float32(4),
            {"rope_scaling": {"rope_type": "linear", "factor": 4.0}},
        ),
    ],
)
def test_rotary_settings(tmp_path: Path, name: str, value: Any, expected: dict[str, Any]) -> None:
    variables = llama() | {f"{ATTENTION}/{name}": np.array(value)}
    config = loaders.load(write_decoder(tmp_path, variables)).config
    assert {key: config[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layer_0/self_attention/rotary_dim", np.int32(1), "rotary_dim is 1, expected 0"),
        ("layer_0/self_attention/rotary_scaling_type", np.int8(2), "rotary_scaling_type is 2"),
        ("layer_0/self_attention/queries_scale", np.float32(1), "'decoder/layer_0/self_attention/"),
        ("layer_norm/layer_norm_use_residual", np.int8(1), "a decoder of the kinds gemma"),
        ("scale_embeddings", np.int8(1), "embeddings times 2.8284271247461903, or post-norm"),
        ("pre_norm", np.int8(0), "embeddings times 1.0, or post-norm; expected 1.0, pre-norm"),
        ("alibi", np.int8(1), "alibi is 1, expected 0"),
        ("start_from_zero_embedding", np.int8(1), "start_from_zero_embedding is 1"),
        ("layer_0/self_attention/v_norm/gamma", np.ones(2, np.float32), "v_norm/gamma' belongs"),
        ("project_in/weight", np.ones((8, 8), np.float32), "project_in/weight' belongs to"),
    ],
)
def test_what_is_not_supported(tmp_path: Path, name: str, value: Any, message: str) -> None:
    variables = llama() | {f"decoder/{name}": np.array(value)}
    with pytest.raises(Unsupported, match=message):
        loaders.load(write_decoder(tmp_path, variables))


def test_other_gated_families(tmp_path: Path) -> None:
    def config(**changes: Any) -> dict[str, Any]:
        variables = llama() | {
            f"decoder/{name.replace('__', '/')}": np.array(value) for name, value in changes.items()
        }
        return loaders.load(write_decoder(tmp_path, variables)).config

    window = config(sliding_window=np.int32(3))
    assert (window["architecture"], window["sliding_window"]) == ("mistral", 3)
    assert config(sliding_window=np.int32(0))["architecture"] == "llama"
    norms = {f"layer_0__self_attention__{n}_norm__gamma": np.ones(2, np.float32) for n in "qk"}
    assert config(**norms)["architecture"] == "qwen3"
    places = ("layer_norm", "layer_0__ffn__layer_norm", "layer_0__self_attention__layer_norm")
    more = {f"{place}__layer_norm_use_residual": np.int8(1) for place in places}
    assert config(**more, scale_embeddings=np.int8(1))["architecture"] == "gemma"
    with pytest.raises(Unsupported, match="a decoder of the kinds qwen3 and mistral"):
        config(**norms, sliding_window=np.int32(3))


def test_layers_that_differ(tmp_path: Path) -> None:
    variables = llama()
    second = {k.replace("layer_0", "layer_1"): v for k, v in variables.items() if "layer_0" in k}
    for value in (np.array(np.float32(5e5)), None):
        both = variables | second | {f"{ATTENTION}/rotary_base": np.array(np.float32(1e4))}
        if value is not None:
            both[f"{ATTENTION.replace('0', '1')}/rotary_base"] = value
        with pytest.raises(Unsupported, match="rotary_base differs between layers"):
            loaders.load(write_decoder(tmp_path, both))


@pytest.mark.parametrize("heads", [0, 3, -1])
def test_heads_that_do_not_fit(tmp_path: Path, heads: int) -> None:
    variables = llama() | {"decoder/num_heads": np.array(np.int16(heads))}
    with pytest.raises(FormatError, match=f"{heads} heads, 2 of keys, of size 8"):
        loaders.load(write_decoder(tmp_path, variables))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"new_key": 1}, "'new_key' .1. is not known"),
        ({"quantization_bits": 4}, "quantization_bits is 4, expected None"),
    ],
)
def test_keys_that_are_not_supported(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    write_decoder(tmp_path, decoder())
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(Unsupported, match=message):
        loaders.load(tmp_path)


def test_tokens_of_the_config(tmp_path: Path) -> None:
    write_decoder(tmp_path, decoder())
    config = {"bos_token": None, "eos_token": "y", "unk_token": "", "layer_norm_epsilon": 1e-3}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = loaders.load(tmp_path).config
    assert (found["bos_token_id"], found["eos_token_id"], found["unk_token_id"]) == (None, 5, None)
    assert found["norm_eps"] == 1e-3
    (tmp_path / "config.json").write_text(json.dumps({"eos_token": 3}))
    with pytest.raises(FormatError, match="eos_token is 3, expected a token or null"):
        loaders.load(tmp_path)


def test_a_tied_output_stands_once(tmp_path: Path) -> None:
    variables = decoder()
    del variables["decoder/projection/weight"]
    aliases = {"decoder/projection/weight": "decoder/embeddings/weight"}
    write_decoder(tmp_path, decoder())
    data = model_bytes(variables, 6, "TransformerDecoderSpec", 8, aliases)
    (tmp_path / "model.bin").write_bytes(data)
    scaled = loaders.load(tmp_path)
    assert scaled.config["tied_output"] is True
    assert "lm_head.weight" not in scaled.tensors
    # the factor 3 changes the embedding, so the output layer becomes another weight
    variables["decoder/scale_embeddings"] = np.array(np.float32(3))
    data = model_bytes(variables, 6, "TransformerDecoderSpec", 8, aliases)
    (tmp_path / "model.bin").write_bytes(data)
    own = loaders.load(tmp_path)
    assert (own.config["tied_output"], own.config["scale_embeddings"]) == (False, False)
    saved = variables["decoder/embeddings/weight"]
    np.testing.assert_array_equal(own.tensors["lm_head.weight"].read(), saved)
    np.testing.assert_array_equal(own.tensors["decoder.embed_tokens.weight"].read(), 3 * saved)


def test_decoding_starts_from_zeros(tmp_path: Path) -> None:
    """A zero start embedding becomes an extra target token that the search suppresses."""
    write_encoder_decoder(tmp_path / "zero", start_from_zero_embedding=np.int8(1))
    model = ae.load(tmp_path / "zero")
    assert isinstance(model, ae.Seq2Seq)
    assert (model.config["decoder_start_token_id"], model.config["target_vocab_size"]) == (6, 7)
    assert model.config["suppress_tokens"] == [6]

    variables = encoder_decoder()
    variables["decoder/embeddings/weight"][1] = 0  # <s>, the start token otherwise
    write_encoder_decoder(tmp_path / "same")
    (tmp_path / "same" / "model.bin").write_bytes(model_bytes(variables))
    same = ae.load(tmp_path / "same")
    expected = same.logits([3], [1, 3, 5])
    np.testing.assert_array_equal(model.logits([3], [6, 3, 5])[:, :6], expected)
    assert model.score("a", "x y").token_log_probs == same.score("a", "x y").token_log_probs
