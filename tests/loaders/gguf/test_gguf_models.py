"""Decoders in GGUF against outputs of transformers with the same weights (tests/golden)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders, models
from attnengine.loaders import gguf
from tests.golden import huggingface as golden
from tests.loaders.gguf.gguf_conversion import converted, metadata, written
from tests.loaders.gguf.gguf_files import q8_0, stored, write_gguf, write_llama_gguf

# Variants that GGUF can express: it has no key for other activations, for example.
VARIANTS = {
    "llama": (
        *("plain", "rope linear", "rope yarn", "rope theta 500000", "1 key/value head"),
        *("4 key/value heads", "head_dim 12", "biases", "tied"),
    ),
    "qwen2": ("plain", "tied", "rope yarn", "1 key/value head"),
    "qwen3": ("plain", "biases, tied"),
    "gemma": ("plain",),
    "phi3": ("plain", "window, tied", "longrope", "partial longrope, own factor"),
    "gpt2": ("plain", "untied", "n_inner 40"),
}
CASES = {
    f"{family}: {variant}": golden.cases(family)[variant]
    for family, variants in VARIANTS.items()
    for variant in variants
}
# GGUF has no key for these settings. The loader uses the values of the published models, which
# differ from the golden variants.
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


def built(path: Path) -> Any:
    checkpoint = loaders.load(path)
    return models.build(checkpoint.config, checkpoint.tensors)


@pytest.mark.parametrize("name", CASES)
def test_logits(tmp_path: Path, name: str) -> None:
    _, share = golden.difference(CASES[name], built(written(tmp_path, CASES[name])))
    assert share <= 1  # tolerance: 2e-4 + 1e-4 |theirs|


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
        # exact, except for Gemma's norms: adding 1 rounds them
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
    """Only the largest models scale by hidden_size / heads; the others scale by head_dim."""
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
    """The divisor of each pair's frequency, as convert_hf_to_gguf.py computes it."""
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
    """Weights that Q8_0 holds exactly give the same bits as in float32."""
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
    """The native folder gets weights, tokenizer and chat template of a GGUF file."""
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
