"""Models in GGUF against what transformers computes with the same weights (tests/golden)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf_files import Stored, q8_0, stored, write_gguf, write_llama_gguf
from numpy.typing import NDArray

import attnengine as ae
from attnengine import loaders, models
from attnengine.loaders import gguf
from tests.golden import huggingface as golden

Floats = NDArray[np.float32]
Metadata = dict[str, Any]

# Those that say nothing which GGUF cannot say, such as other activations.
VARIANTS = {
    "llama": (
        *("plain", "rope linear", "rope yarn", "rope theta 500000", "1 key/value head"),
        *("4 key/value heads", "head_dim 12", "biases", "tied"),
    ),
    "qwen2": ("plain", "tied", "rope yarn", "1 key/value head"),
    "qwen3": ("plain", "biases, tied"),
    "gemma": ("plain",),
    "gpt2": ("plain", "untied", "n_inner 40"),
}
CASES = {
    f"{family}: {variant}": golden.cases(family)[variant]
    for family, variants in VARIANTS.items()
    for variant in variants
}
# What GGUF leaves to the family is as in its models, not as in the golden variants.
GEMMA3 = {"query_pre_attn_scalar": 12, "sliding_window_pattern": 6}
CHANGED: dict[str, dict[str, Any]] = {
    "gemma2": {"query_pre_attn_scalar": 12},
    "gemma3_text": GEMMA3 | {"rope_scaling": {"rope_type": "linear", "factor": 8.0}},
}
FOLDERS = CASES | {
    f"{family}: changed": case | {"config": case["config"] | changes}
    for family, changes in CHANGED.items()
    for case in (golden.cases(family)["plain"],)
}

# ---- what convert_hf_to_gguf.py writes --------------------------------------------------

LLAMA_KEYS = {
    "num_hidden_layers": "block_count",
    "max_position_embeddings": "context_length",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "rope_theta": "rope.freq_base",
    "vocab_size": "vocab_size",
    "head_dim": "attention.key_length",
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
    "sliding_window": "attention.sliding_window",
    "rope_local_base_freq": "rope.freq_base_swa",
}
GPT2_KEYS = {
    "n_layer": "block_count",
    "n_positions": "context_length",
    "n_embd": "embedding_length",
    "n_head": "attention.head_count",
    "n_inner": "feed_forward_length",
}
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}
SANDWICH_NAMES = {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
ARCHITECTURES = {"gemma3_text": "gemma3"}


def gguf_name(name: str, architecture: str) -> str:
    module, _, part = name.rpartition(".")
    layers = LAYER_NAMES | (SANDWICH_NAMES if architecture[:6] in ("gemma2", "gemma3") else {})
    if module in NAMES:
        return f"{NAMES[module]}.{part}"
    layer = re.fullmatch(r"(?:model\.layers|transformer\.h)\.(\d+)\.(.*)", module)
    assert layer
    return f"blk.{layer[1]}.{layers[layer[2]]}.{part}"


def interleaved(rows: Floats, heads: int) -> Floats:
    """Row i of the first half of each head, then row i of its second half."""
    half = len(rows) // heads // 2
    order = [
        head * 2 * half + place * half + i
        for head in range(heads)
        for i in range(half)
        for place in (0, 1)
    ]
    return np.ascontiguousarray(rows[order])


def converted(config: Mapping[str, Any], weights: Mapping[str, Floats]) -> dict[str, Floats]:
    arrays = {}
    for name, values in weights.items():
        heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
        kind = name.split(".")[-2]
        if config["architecture"] == "llama" and kind in heads:
            values = interleaved(values, config[heads[kind]])
        if config["architecture"] == "gpt2" and values.ndim == 2 and ".h." in name:
            values = np.ascontiguousarray(values.T)
        if "gemma" in config["architecture"] and name.endswith("norm.weight"):
            values = values + np.float32(1)
        arrays[gguf_name(name, config["architecture"])] = values
    return arrays


def metadata(config: Mapping[str, Any]) -> Metadata:
    architecture = ARCHITECTURES.get(config["architecture"], config["architecture"])
    keys = GPT2_KEYS if architecture == "gpt2" else LLAMA_KEYS
    given = {key: value for key, value in config.items() if key in keys and value is not None}
    found: Metadata = {f"{architecture}.{keys[key]}": value for key, value in given.items()}
    if architecture == "gpt2":
        found.setdefault("gpt2.feed_forward_length", 4 * config["n_embd"])
        found["gpt2.attention.layer_norm_epsilon"] = 1e-5
    scaling = config.get("rope_scaling") or {}
    for key, value in scaling.items():
        name = {"rope_type": "type", "original_max_position_embeddings": "original_context_length"}
        found[f"{architecture}.rope.scaling.{name.get(key, key)}"] = value
    return {"general.architecture": architecture, **found}


def written(folder: Path, case: Mapping[str, Any], **extra: Stored) -> Path:
    config = case["config"]
    arrays = converted(config, golden.weights(case["shapes"], case["seed"]))
    tensors = {name: stored(values) for name, values in arrays.items()}
    tensors |= {f"{name}.weight": tensor for name, tensor in extra.items()}
    return write_gguf(folder / "model.gguf", metadata(config), tensors)


def built(path: Path) -> Any:
    checkpoint = loaders.load(path)
    return models.build(checkpoint.config, checkpoint.tensors)


# ---- tests ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_logits(tmp_path: Path, name: str) -> None:
    _, share = golden.difference(CASES[name], built(written(tmp_path, CASES[name])))
    assert share <= 1  # of 2e-4 + 1e-4 relative


@pytest.mark.parametrize("name", FOLDERS)
def test_the_same_config_and_weights_as_of_a_folder(tmp_path: Path, name: str) -> None:
    case = FOLDERS[name]
    checkpoint = loaders.load(written(tmp_path, case))
    given = {"head_dim": None, "n_inner": 4 * case["config"].get("n_embd", 0), **case["config"]}
    assert {k: v for k, v in checkpoint.config.items() if k in given} == {
        k: v for k, v in given.items() if k in checkpoint.config
    }
    weights = golden.weights(case["shapes"], case["seed"])
    assert set(checkpoint.tensors) == set(weights)
    for key, tensor in checkpoint.tensors.items():
        assert tensor.shape == weights[key].shape
        # exact but for norms to which one was added, and then rounded
        rounding = 2e-7 if "gemma" in name and key.endswith("norm.weight") else 0
        np.testing.assert_allclose(tensor.read(), weights[key], rtol=0, atol=rounding)


@pytest.mark.parametrize("family", CHANGED)
def test_logits_of_what_is_left_to_the_family(tmp_path: Path, family: str) -> None:
    case = FOLDERS[f"{family}: changed"]
    expected, found = golden.model(case), built(written(tmp_path, case))
    ids = case["prompts"][-1]["ids"]
    np.testing.assert_allclose(
        golden.uncached(found, ids, None), golden.uncached(expected, ids, None), atol=1e-4
    )


@pytest.mark.parametrize(
    ("family", "num_layers", "expected"),
    [("gemma2", 42, 12), ("gemma2", 46, 8), ("gemma3_text", 48, 12), ("gemma3_text", 62, 8)],
)
def test_how_scores_of_gemma_are_scaled(
    tmp_path: Path, family: str, num_layers: int, expected: int
) -> None:
    """Only of the largest models by hidden_size / heads instead of by the size of a head."""
    case = golden.cases(family)["plain"]
    config = {**case["config"], "num_hidden_layers": num_layers}
    path = written(tmp_path, {**case, "config": config})
    assert loaders.load(path).config["query_pre_attn_scalar"] == expected


def test_what_a_file_need_not_say(tmp_path: Path) -> None:
    dropped = ("rope.freq_base", "attention.head_count_kv", "rope.dimension_count", "vocab_size")
    path = write_llama_gguf(tmp_path, **{f"llama.{key}": ... for key in dropped})
    config = loaders.load(path).config
    assert [config[key] for key in ("rope_theta", "num_key_value_heads", "vocab_size")] == [
        *(10_000.0, None, 261)
    ]


def llama3_factors(scaling: Mapping[str, float], base: float, dim: int) -> list[float]:
    """What the frequency of each pair is divided by, as convert_hf_to_gguf.py has it."""
    low = scaling["original_max_position_embeddings"] / scaling["low_freq_factor"]
    high = scaling["original_max_position_embeddings"] / scaling["high_freq_factor"]
    factors = []
    for i in range(0, dim, 2):
        wavelength = 2 * math.pi * base ** (i / dim)
        smooth = (low / wavelength - 1) / (low / high - 1)
        mixed = 1 / ((1 - smooth) / scaling["factor"] + smooth)
        factors.append(
            1.0
            if wavelength < high
            else min(mixed, scaling["factor"])
            if wavelength <= low
            else scaling["factor"]
        )
    return factors


def test_divisors_of_the_frequencies(tmp_path: Path) -> None:
    case = golden.cases("llama")["rope llama3"]
    config = dict(case["config"])
    factors = llama3_factors(config.pop("rope_scaling"), config["rope_theta"], 8)
    assert factors[-1] > 1
    path = written(
        tmp_path,
        {**case, "config": config},
        rope_freqs=stored(np.array(factors, np.float32)),
    )
    assert golden.difference(case, built(path))[1] <= 1


def test_quantised_weights(tmp_path: Path) -> None:
    """Weights that blocks hold exactly give the same bits as those in float32."""
    case = golden.cases("llama")["plain"]
    arrays = converted(case["config"], golden.weights(case["shapes"], case["seed"]))
    blocks = {
        name: q8_0(a) if a.shape[-1] % 32 == 0 < a.ndim - 1 else stored(a)
        for name, a in arrays.items()
    }
    quantised = write_gguf(tmp_path / "q8_0.gguf", metadata(case["config"]), blocks)
    exact = {name: tensor.read() for name, tensor in gguf.container.read(quantised).tensors.items()}
    plain = write_gguf(
        tmp_path / "f32.gguf", metadata(case["config"]), {k: stored(v) for k, v in exact.items()}
    )
    ids = case["prompts"][1]["ids"]
    np.testing.assert_array_equal(
        golden.uncached(built(quantised), ids, None), golden.uncached(built(plain), ids, None)
    )


def test_convert(tmp_path: Path) -> None:
    """To the native folder, tokenizer and chat template included."""
    path = write_llama_gguf(tmp_path / "gguf")
    loaders.convert(path, tmp_path / "native")
    model, converted_model = ae.load(path), ae.load(tmp_path / "native")
    assert isinstance(model, ae.LanguageModel)
    assert isinstance(converted_model, ae.LanguageModel)
    assert model.config == converted_model.config
    assert model.config["chat_template"] == "{{ messages[0].content }}"
    for engine in (model, converted_model):
        assert engine.tokenizer.encode("ab a") == model.tokenizer.ids(["a", "b", "Ġa"])
    ids = model.tokenizer.encode("ab a é")
    np.testing.assert_array_equal(model.logits(ids), converted_model.logits(ids))
