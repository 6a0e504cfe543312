"""Encoder-decoder folders of early versions of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError
from attnengine.models import build
from tests.golden import huggingface as golden
from tests.loaders.huggingface.huggingface_files import write_bin, write_json

SIDES = ("encoder", "decoder")
T5 = {
    "n_positions": 512,
    "output_past": True,
    "scalable_attention": True,
    "dropout_rate": 0.1,
    "initializer_factor": 1.0,
    "task_specific_params": {"summarization": {"num_beams": 4}},
}
BART = {
    "add_bias_logits": False,
    "add_final_layer_norm": False,
    "extra_pos_embeddings": 2,
    "force_bos_token_to_be_generated": True,
    "normalize_before": False,
    "normalize_embedding": True,
    "num_hidden_layers": 2,
    "static_position_embeddings": False,
}
PRE_NORM = {"add_final_layer_norm": True, "normalize_before": True, "normalize_embedding": False}


def write(folder: Path, family: str, early: dict[str, Any], **changes: Any) -> Path:
    """Write the plain golden model; `changes` replaces weights, and None leaves one out."""
    case = golden.cases(family)["plain"]
    config = {**case["config"], "model_type": family, **early}
    del config["architecture"], config["target_vocab_size"]
    config["vocab_size"] = config.pop("source_vocab_size")
    write_json(folder / "config.json", config)
    arrays = golden.weights(case["shapes"], case["seed"]) | changes
    write_bin(folder / "pytorch_model.bin", {k: v for k, v in arrays.items() if v is not None})
    return folder


def expect_golden_outputs(folder: Path, family: str) -> None:
    checkpoint = loaders.load(folder)
    model = build(checkpoint.config, checkpoint.tensors)
    assert golden.difference(golden.cases(family)["plain"], model)[1] <= 1


def shared(family: str, name: str) -> Any:
    case = golden.cases(family)["plain"]
    return golden.weights({name: case["shapes"][name]}, case["seed"])[name]


def test_t5(tmp_path: Path) -> None:
    embedding = shared("t5", "shared.weight")
    copies = {f"{side}.embed_tokens.weight": embedding for side in SIDES}
    unread = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"
    copies |= {"lm_head.weight": embedding, unread: np.ones((12, 4), np.float32)}
    expect_golden_outputs(write(tmp_path, "t5", T5, **copies), "t5")
    config = loaders.load(tmp_path).config
    assert (config["decoder_start_token_id"], config["eos_token_id"]) == (0, 1)
    assert config["suppress_tokens"] == []


@pytest.mark.parametrize("missing", [True, False])
def test_bart(tmp_path: Path, missing: bool) -> None:
    embedding = shared("bart", "model.shared.weight")
    copies = {f"model.{side}.embed_tokens.weight": embedding for side in SIDES}
    copies |= {f"model.{side}.version": np.full(1, 3, np.float32) for side in SIDES}
    if missing:
        copies["model.shared.weight"] = None
    expect_golden_outputs(write(tmp_path, "bart", BART, **copies), "bart")
    config = loaders.load(tmp_path).config
    assert (config["decoder_start_token_id"], config["eos_token_id"]) == (2, 2)


def test_pegasus_and_m2m_100_compute_their_positions(tmp_path: Path) -> None:
    for family, name in (("pegasus", "weight"), ("m2m_100", "weights")):
        wrong = {f"model.encoder.embed_positions.{name}": np.ones((64, 32), np.float32)}
        early = PRE_NORM | {"static_position_embeddings": True}
        (tmp_path / family).mkdir()
        expect_golden_outputs(write(tmp_path / family, family, early, **wrong), family)


def test_a_bias_of_zeros_may_be_left_out(tmp_path: Path) -> None:
    case = golden.cases("bart")["plain"]
    write(tmp_path, "bart", {}, final_logits_bias=None)
    checkpoint = loaders.load(tmp_path)
    found = golden.uncached(build(checkpoint.config, checkpoint.tensors), [5], [6])
    bias = golden.weights(case["shapes"], case["seed"])["final_logits_bias"]
    np.testing.assert_allclose(found + bias, golden.uncached(golden.model(case), [5], [6]), 1e-5)


def test_what_does_not_fit(tmp_path: Path) -> None:
    other = np.zeros((60, 32), np.float32)
    write(tmp_path, "t5", {}, **{"encoder.embed_tokens.weight": other})
    with pytest.raises(FormatError, match=r"'shared\.weight' and .* differ, expected the same"):
        loaders.load(tmp_path)
    write(tmp_path, "bart", {}, **{"lm_head.weight": other})
    with pytest.raises(FormatError, match="differ, but tie_word_embeddings is true"):
        loaders.load(tmp_path)
    write(tmp_path, "bart", {"normalize_before": True})
    checkpoint = loaders.load(tmp_path)
    with pytest.raises(FormatError, match="'normalize_before' is no key of 'bart'"):
        build(checkpoint.config, checkpoint.tensors)
