"""Folders and tokenizers that transformers itself writes and reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.loaders.huggingface.tokens import read_tokens
from attnengine.models import build
from attnengine.tokenizers import open_tokenizer
from tests.golden import huggingface as golden
from tests.loaders.huggingface.huggingface_files import (
    byte_fallback_tokenizer,
    byte_level_tokenizer,
    write_json,
    write_llama,
    write_marian,
)

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

SMALL: dict[str, Any] = {
    "vocab_size": 30,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
MARIAN: dict[str, Any] = {
    "vocab_size": 30,
    "d_model": 8,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 12,
    "decoder_ffn_dim": 12,
    "pad_token_id": 19,
    "decoder_start_token_id": 19,
}
BART: dict[str, Any] = {**MARIAN, "pad_token_id": 1, "decoder_start_token_id": 2}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
MODELS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "llama": (
        "LlamaForCausalLM",
        {**SMALL, "rope_parameters": {"rope_theta": 5e5, **LLAMA3}, "mlp_bias": True},
        {"rope_theta": 5e5, "rope_scaling": LLAMA3, "mlp_bias": True, "eos_token_id": 2},
    ),
    "qwen2": (
        "Qwen2ForCausalLM",
        {**SMALL, "tie_word_embeddings": True, "eos_token_id": [3, 4]},
        {"rope_scaling": None, "tie_word_embeddings": True, "eos_token_id": [3, 4]},
    ),
    "gpt2": (
        "GPT2LMHeadModel",
        {
            **{"vocab_size": 30, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 16},
            **{"bos_token_id": 29, "eos_token_id": 29},
        },
        {"n_embd": 8, "n_positions": 16, "bos_token_id": 29, "tie_word_embeddings": True},
    ),
    "marian": (
        "MarianMTModel",
        MARIAN,
        {"source_vocab_size": 30, "target_vocab_size": 30, "suppress_tokens": [19]},
    ),
    "marian, two vocabularies": (
        "MarianMTModel",
        {
            **MARIAN,
            "decoder_vocab_size": 20,
            "share_encoder_decoder_embeddings": False,
            "tie_word_embeddings": False,
        },
        {"source_vocab_size": 30, "target_vocab_size": 20, "suppress_tokens": [19]},
    ),
    "bart": (
        "BartForConditionalGeneration",
        BART,
        {"source_vocab_size": 30, "decoder_start_token_id": 2, "suppress_tokens": []},
    ),
    "pegasus": ("PegasusForConditionalGeneration", BART, {"eos_token_id": 1}),
    "m2m_100": ("M2M100ForConditionalGeneration", BART, {"eos_token_id": 2, "pad_token_id": 1}),
}


@pytest.fixture(scope="module")
def transformers() -> Any:
    pytest.importorskip("torch")
    return pytest.importorskip("transformers")


def random_model(transformers: Any, kind: str) -> Any:
    name, config, _ = MODELS[kind]
    model_class = getattr(transformers, name)
    return model_class(model_class.config_class(**config))


@pytest.mark.parametrize("form", ["safetensors", "shards", "bin", "float16", "without head"])
@pytest.mark.parametrize("kind", MODELS)
def test_what_save_pretrained_writes(
    tmp_path: Path, transformers: Any, kind: str, form: str
) -> None:
    import torch

    model = random_model(transformers, kind)
    saved = model
    if form == "float16":
        saved = model.half()
    if form == "without head":
        saved = model.base_model
    saved.save_pretrained(tmp_path, **({"max_shard_size": "2KB"} if form == "shards" else {}))
    if form == "bin":
        (tmp_path / "model.safetensors").unlink()
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")

    checkpoint = loaders.load(tmp_path)

    expected = expected_weights(model)
    if form == "without head":
        prefix = f"{model.base_model_prefix}."
        expected = {k: v for k, v in expected.items() if k.startswith(prefix)}
    assert checkpoint.tensors.keys() == expected.keys()
    for name, tensor in checkpoint.tensors.items():
        np.testing.assert_array_equal(tensor.read(), expected[name].float().numpy(), strict=True)
    assert checkpoint.config["architecture"] == kind.partition(",")[0]
    for key, value in MODELS[kind][2].items():
        assert checkpoint.config[key] == value, key


def expected_weights(model: Any) -> dict[str, Any]:
    """Every weight of the model once, without the sinusoids."""
    state = model.state_dict()
    if model.config.model_type in ("marian", "pegasus"):
        state = {k: v for k, v in state.items() if "embed_positions" not in k}
    first: dict[int, str] = {}
    order = sorted(state, key=lambda name: ("lm_head" in name, "shared" not in name))
    for name in order:
        first.setdefault(state[name].data_ptr(), name)
    return {name: state[name] for name in first.values()}


def test_early_configs_are_read_as_new_ones(tmp_path: Path, transformers: Any) -> None:
    """Configs of one model from version 4 and version 5 of transformers give the same config."""
    random_model(transformers, "llama").save_pretrained(tmp_path / "new")
    scaling = {"type": LLAMA3["rope_type"], **{k: LLAMA3[k] for k in LLAMA3 if k != "rope_type"}}
    early = {"rope_theta": 500000.0, "rope_scaling": scaling, "mlp_bias": True, **SMALL}
    folder = write_llama(tmp_path / "early", bos_token_id=1, eos_token_id=2, **early)
    new = loaders.load(tmp_path / "new").config
    assert loaders.load(folder).config == {**new, "head_dim": None}


@pytest.mark.parametrize("prefix", ["model.language_model.", "language_model.model."])
def test_the_language_model_of_gemma3(tmp_path: Path, transformers: Any, prefix: str) -> None:
    import torch

    text = {**SMALL, "head_dim": 4, "num_hidden_layers": 6, "sliding_window": 4}
    vision = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    vision |= {"num_attention_heads": 2, "image_size": 8, "patch_size": 4}
    config = transformers.Gemma3Config(
        text_config=text, vision_config=vision, mm_tokens_per_image=4, eos_token_id=[1, 6]
    )
    model = transformers.Gemma3ForConditionalGeneration(config).eval()
    model.save_pretrained(tmp_path)
    rename_weights(tmp_path / "model.safetensors", "language_model.model.", prefix)

    checkpoint = loaders.load(tmp_path)

    assert checkpoint.config["eos_token_id"] == [1, 6]
    ids = [3, 4, 5, 6, 7, 8, 9]
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    found = golden.uncached(build(checkpoint.config, checkpoint.tensors), ids, None)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def rename_weights(file: Path, before: str, after: str) -> None:
    from safetensors.numpy import load_file, save_file

    weights = {name.replace(before, after): w for name, w in load_file(file).items()}
    assert any(name.startswith(after) for name in weights)
    save_file(weights, file)


TEXTS = ["ab a  b", " a", "a\n\té ü€ \U0001f600", "<s>ab</s>", "", "1234 ab, ab."]


@pytest.mark.parametrize("add_bos", [None, True, False])
@pytest.mark.parametrize("make", [byte_level_tokenizer, byte_fallback_tokenizer])
def test_tokenizers(tmp_path: Path, transformers: Any, make: Any, add_bos: bool | None) -> None:
    begin = make()["model"]["vocab"]["<s>"]
    folder = write_llama(tmp_path, tokenizer=make(), vocab_size=265, bos_token_id=begin)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>"}
    if add_bos is not None:
        settings["add_bos_token"] = add_bos  # type: ignore[assignment]
    write_json(folder / "tokenizer_config.json", {**settings, "eos_token": "</s>"})
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    checkpoint = loaders.load(folder)
    ours = open_tokenizer(checkpoint)
    for text in TEXTS:
        ids = ours.encode(text)
        added = [begin] if checkpoint.config["add_bos"] else []
        assert added + ids == theirs(text)["input_ids"]
        assert ours.tokens(ids) == theirs.convert_ids_to_tokens(ids)
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True)
        for cut in range(len(ids)):
            if not theirs.decode(ids[:cut], skip_special_tokens=True).endswith("\ufffd"):
                whole = theirs.decode(ids, skip_special_tokens=True)
                before = theirs.decode(ids[:cut], skip_special_tokens=True)
                assert before + ours.decode(ids[cut:], after=ids[:cut]) == whole


def test_marian_tokenizers(tmp_path: Path, transformers: Any) -> None:
    pytest.importorskip("sentencepiece")
    folder = write_marian(tmp_path)
    theirs = transformers.MarianTokenizer.from_pretrained(folder)
    checkpoint = loaders.load(folder)
    for text in ("ab ab", "c a", "  a   b ", ">>fra<<ab", ">>fra<< ab", ">>xyz<<a", "é"):
        ids = open_tokenizer(checkpoint, "source").encode(text)
        assert [*ids, checkpoint.config["source_eos_token_id"]] == theirs(text)["input_ids"], text
    target = open_tokenizer(checkpoint, "target")
    for ids in ([2, 3, 2], [3, 4, 2], [4, 3], [2, 1, 3], []):
        assert target.decode(ids) == theirs.decode(ids, skip_special_tokens=True), ids


def test_special_ids_as_transformers_has_them(tmp_path: Path, transformers: Any) -> None:
    model = random_model(transformers, "qwen2")
    model.generation_config.eos_token_id = [7, 8]
    model.generation_config.bad_words_ids = [[5], [6]]
    model.save_pretrained(tmp_path)
    given = {"model_type": "qwen2"}
    tokens = read_tokens(tmp_path, given, {"vocab_size": 30}, kind="decoder")
    assert (tokens.config["eos_token_id"], tokens.config["suppress_tokens"]) == ([7, 8], [5, 6])


def test_dynamic_positions_token_by_token(tmp_path: Path) -> None:
    """transformers, too, gives each token the frequencies of a text that ends there."""
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    torch.manual_seed(0)
    scaling = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
    config = transformers.LlamaConfig(
        **{**SMALL, "num_attention_heads": 2},  # NTK needs more than one frequency
        max_position_embeddings=16,
        rope_parameters=scaling,
        initializer_range=0.5,
    )
    module = transformers.LlamaForCausalLM(config).eval()
    module.save_pretrained(tmp_path)
    ids = [int(i) for i in np.random.default_rng(0).integers(0, 30, 32)]

    expected, past = [], None
    with torch.no_grad():
        for token in ids:
            output = module(torch.tensor([[token]]), past_key_values=past, use_cache=True)
            past = output.past_key_values
            expected.append(output.logits[0, -1].numpy())

    # float32 of both, which round frequencies and angles differently
    np.testing.assert_allclose(ae.load(tmp_path).logits(ids), expected, rtol=0, atol=1e-4)
