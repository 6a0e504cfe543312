from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import cli, loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.arrays import random_arrays
from tests.loaders.huggingface.huggingface_files import (
    LLAMA,
    MARIAN_VOCABULARY,
    byte_fallback_tokenizer,
    byte_level_tokenizer,
    config_of,
    write_json,
    write_llama,
    write_marian,
    write_safetensors,
    write_sharded_llama,
)

# ---- configs ----------------------------------------------------------------------------


def test_a_config(tmp_path: Path) -> None:
    assert config_of(write_llama(tmp_path)) == {
        "architecture": "llama",
        "vocab_size": 261,
        "hidden_size": 4,
        "intermediate_size": 6,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": None,
        "head_dim": None,
        "hidden_act": "silu",
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": False,
        "tokenizer": "none",
        "add_bos": False,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": None,
        "unk_token_id": None,
        "suppress_tokens": [],
    }


def test_gemma3_without_its_language_model(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"model_type": "gemma3", "vision_config": {}})
    with pytest.raises(FormatError, match="text_config is None, expected an object"):
        loaders.load(tmp_path)


def test_gpt2(tmp_path: Path) -> None:
    given = {"model_type": "gpt2", "vocab_size": 9, "n_embd": 4, "n_layer": 1, "n_head": 2}
    write_json(
        tmp_path / "config.json", {**given, "n_ctx": 8, "eos_token_id": 8, "bos_token_id": 8}
    )
    weights = random_arrays({"wte.weight": (9, 4), "h.0.attn.c_attn.weight": (4, 12)})
    buffers = {
        "h.0.attn.bias": np.ones((1, 1, 8, 8), bool),
        "h.0.attn.masked_bias": np.ones(1, bool),
    }
    write_safetensors(tmp_path / "model.safetensors", {**weights, **buffers})

    checkpoint = loaders.load(tmp_path)

    assert checkpoint.config["n_ctx"] == 8
    assert checkpoint.config["activation_function"] == "gelu_new"
    assert "rope_theta" not in checkpoint.config
    assert set(checkpoint.tensors) == {
        "transformer.wte.weight",
        "transformer.h.0.attn.c_attn.weight",
    }
    assert checkpoint.tensors["transformer.wte.weight"].name == "wte.weight"


def test_what_is_not_supported(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="model_type is 'mamba', expected one of "):
        loaders.load(write_llama(tmp_path, model_type="mamba"))
    with pytest.raises(Unsupported, match=r"model_type is \['llama'\], expected one of"):
        loaders.load(write_llama(tmp_path, model_type=["llama"]))
    with pytest.raises(Unsupported, match=r"quantization_config is .*gptq.*, expected weights"):
        loaders.load(write_llama(tmp_path, quantization_config={"quant_method": "gptq"}))


# ---- tokens -----------------------------------------------------------------------------


def test_a_begin_token_as_the_tokenizer_says(tmp_path: Path) -> None:
    content = byte_level_tokenizer()
    folder = write_llama(tmp_path, tokenizer=content, bos_token_id=7)
    checkpoint = loaders.load(folder)
    assert checkpoint.config["tokenizer"] == "tokenizers"
    assert checkpoint.tokenizer_files == {"tokenizer.json": folder / "tokenizer.json"}
    # the tokenizer's begin token takes precedence over config.json
    assert (checkpoint.config["add_bos"], checkpoint.config["bos_token_id"]) == (True, 0)

    before = content["post_processor"]
    content["post_processor"] = {"type": "Sequence", "processors": [content["decoder"], before]}
    write_json(folder / "tokenizer.json", content)
    assert config_of(folder)["add_bos"] is True

    for without in (content["decoder"], None):
        content["post_processor"] = without
        write_json(folder / "tokenizer.json", content)
        config = config_of(folder)
        assert (config["add_bos"], config["bos_token_id"]) == (False, 7)

    before["single"].insert(0, before["single"][0])
    content["post_processor"] = before
    write_json(folder / "tokenizer.json", content)
    with pytest.raises(Unsupported, match="2 tokens are put before or behind a text, expected one"):
        loaders.load(folder)


def test_special_ids(tmp_path: Path) -> None:
    folder = write_llama(tmp_path, tokenizer=byte_fallback_tokenizer(), pad_token_id=-1)
    write_json(folder / "generation_config.json", {"eos_token_id": [2, 4, 2], "bos_token_id": None})
    config = config_of(folder)
    assert config["eos_token_id"] == [2, 4]
    assert (config["pad_token_id"], config["unk_token_id"]) == (None, 0)
    with pytest.raises(FormatError, match="eos_token_id is 261, expected null or 0 to 260"):
        config_of(write_llama(tmp_path / "other", eos_token_id=261))


def test_tokens_that_are_never_generated(tmp_path: Path) -> None:
    folder = write_llama(tmp_path, bad_words_ids=[[7]], suppress_tokens=[9])
    write_json(folder / "generation_config.json", {"suppress_tokens": [7, 3]})
    assert config_of(folder)["suppress_tokens"] == [3, 7, 9]
    for wrong, kind in (([[1, 2]], Unsupported), ([7], FormatError), (7, FormatError)):
        with pytest.raises(kind):
            config_of(write_llama(tmp_path, bad_words_ids=wrong))


def test_marian(tmp_path: Path) -> None:
    folder = write_marian(tmp_path)

    checkpoint = loaders.load(folder)

    config = checkpoint.config
    assert config["tokenizer"] == {"source": "sentencepiece", "target": "sentencepiece"}
    assert (config["source_vocab_size"], config["target_vocab_size"]) == (8, 8)
    assert (config["add_source_bos"], config["add_source_eos"]) == (False, True)
    assert (config["source_eos_token_id"], config["source_unk_token_id"]) == (0, 1)
    assert (config["eos_token_id"], config["unk_token_id"]) == (0, 1)
    assert (config["decoder_start_token_id"], config["suppress_tokens"]) == (7, [7])
    assert not {"vocab_size", "decoder_vocab_size", "num_hidden_layers", "bad_words_ids"} & set(
        config
    )
    tokens = checkpoint.vocabularies["source"].tokens
    assert tokens == ("</s>", "<unk>", "▁a", "b", "▁", ">>fra<<", "<id 6>", "<pad>")
    assert checkpoint.vocabularies["target"].tokens == tokens
    assert set(checkpoint.tensors) == {
        "final_logits_bias",
        "model.shared.weight",
        "model.encoder.layers.0.fc1.weight",
        "model.decoder.layers.0.fc1.weight",
    }


def test_marian_without_tokenizer_and_with_two_vocabularies(tmp_path: Path) -> None:
    config = config_of(write_marian(tmp_path / "a", tokenizer=False))
    assert config["tokenizer"] == {"source": "none", "target": "none"}
    separate = {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": 9}
    folder = write_marian(tmp_path / "b", **separate)
    write_json(folder / "target_vocab.json", {"</s>": 0, "x": 8})
    checkpoint = loaders.load(folder)
    assert checkpoint.config["target_vocab_size"] == 9
    assert checkpoint.vocabularies["target"].tokens[8] == "x"
    assert checkpoint.config["unk_token_id"] is None
    assert "model.decoder.embed_tokens.weight" in checkpoint.tensors


def test_marian_switches_of_other_models(tmp_path: Path) -> None:
    # The key stays in the config, so that the family refuses it by name.
    assert config_of(write_marian(tmp_path, normalize_before=True))["normalize_before"] is True


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ({**MARIAN_VOCABULARY, "x": 8}, "'x' has id 8, expected 0 to 7"),
        ({**MARIAN_VOCABULARY, "x": 0}, "'x' and '</s>' both have id 0"),
        ({**MARIAN_VOCABULARY, "x": True}, "'x' has id True"),
        ([], "expected a JSON object"),
    ],
)
def test_marian_vocabularies_that_do_not_fit(tmp_path: Path, vocabulary: Any, message: str) -> None:
    folder = write_marian(tmp_path)
    write_json(folder / "vocab.json", vocabulary)
    with pytest.raises(FormatError, match=message):
        loaders.load(folder)


def test_marian_files_that_are_missing(tmp_path: Path) -> None:
    folder = write_marian(tmp_path)
    (folder / "target.spm").unlink()
    with pytest.raises(FormatError, match=r"target\.spm is missing, which the tokenizer needs"):
        loaders.load(folder)
    with pytest.raises(FormatError, match="has 7 pieces, but the vocabulary size is 2147483647"):
        loaders.load(write_marian(tmp_path / "big", vocab_size=2**31 - 1))


# ---- as a native folder -----------------------------------------------------------------


def test_a_native_folder_is_none_of_these(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {**LLAMA, "format": "attnengine", "format_version": 2})
    with pytest.raises(FormatError, match="format_version is 2"):
        loaders.load(tmp_path)


def test_tokenizer_files_that_do_not_fit_what_is_saved(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_llama(tmp_path / "a", tokenizer=byte_level_tokenizer()))
    arrays = {name: tensor.read() for name, tensor in checkpoint.tensors.items()}
    with pytest.raises(ae.InvalidArgument, match=r"tokenizer_files has \[\], expected tokenizer"):
        ae.save(tmp_path / "b", checkpoint.config, arrays, {})
    with pytest.raises(ae.InvalidArgument, match="the vocabulary vocabulary is given"):
        ae.save(tmp_path / "b", checkpoint.config, arrays, {"vocabulary": ["a"] * 261})
    missing = {"tokenizer.json": tmp_path / "x"}
    with pytest.raises(ae.InvalidArgument, match=r"x, to be copied as tokenizer\.json, is missing"):
        ae.save(tmp_path / "b", checkpoint.config, arrays, {}, missing)
    assert not (tmp_path / "b").exists()


def test_files_of_a_former_model_are_removed(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_llama(tmp_path / "a", tokenizer=byte_level_tokenizer()))
    arrays = {name: tensor.read() for name, tensor in checkpoint.tensors.items()}
    ae.save(tmp_path / "b", checkpoint.config, arrays, {}, checkpoint.tokenizer_files)
    again = loaders.load(tmp_path / "b")
    ae.save(tmp_path / "b", again.config, arrays, {}, again.tokenizer_files)  # over itself
    assert (tmp_path / "b" / "tokenizer.json").is_file()
    ae.save(tmp_path / "b", {**again.config, "tokenizer": "none"}, arrays, {})
    assert not (tmp_path / "b" / "tokenizer.json").exists()


def test_info_of_a_model_without_some_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["info", str(write_sharded_llama(tmp_path))]) == 2
    complaint = capsys.readouterr().err
    assert f"{tmp_path}: weight 'model.layers.0.self_attn.q_proj.weight' is missing" in complaint


def test_a_converted_folder_is_complete(tmp_path: Path) -> None:
    source = write_sharded_llama(tmp_path / "source")
    loaders.convert(source, tmp_path / "native")
    names = {"config.json", "model.safetensors", "tokenizer.json"}
    assert {file.name for file in (tmp_path / "native").iterdir()} == names
    copied = (tmp_path / "native" / "tokenizer.json").read_text(encoding="utf-8")
    assert json.loads(copied) == byte_level_tokenizer()
    assert loaders.load(tmp_path / "native").config["eos_token_id"] == [1, 5]
