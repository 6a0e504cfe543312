"""Encoder-decoders in GGUF: the config and weights of tests/golden, and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders, models
from attnengine.tokenizers import open_tokenizer
from tests.golden import huggingface as golden
from tests.loaders.gguf.gguf_conversion import written
from tests.loaders.gguf.gguf_files import CONTROL, UNKNOWN, stored, vocabulary

# GGUF has no key for the largest distance; it is 128 in every published model.
CHANGES = {"relative_attention_max_distance": 128}
CASES: dict[str, dict[str, Any]] = {
    f"{family}: {variant}": case | {"config": case["config"] | CHANGES}
    for family, variants in (("t5", ("plain", "v1.1", "sides differ")), ("umt5", ("plain",)))
    for variant in variants
    for case in (golden.cases(family)[variant],)
}
TOKENS = {"<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "▁ab": -1.0, "▁a": -3.0, "bc": -1.5, "c": -4.0}


@pytest.mark.parametrize("name", CASES)
def test_the_same_model_as_of_a_folder(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    unused = {"dec.blk.0.cross_attn_rel_b": stored(np.ones((12, 4), np.float32))}
    checkpoint = loaders.load(written(tmp_path, case, None, **unused))
    assert checkpoint.config.items() >= case["config"].items()
    assert set(checkpoint.tensors) == set(case["shapes"])
    found, expected = models.build(checkpoint.config, checkpoint.tensors), golden.model(case)
    prompt = case["prompts"][-1]
    np.testing.assert_array_equal(
        golden.uncached(found, prompt["ids"], prompt["source"]),
        golden.uncached(expected, prompt["ids"], prompt["source"]),
    )


def keys() -> dict[str, Any]:
    """Keys of tokenizer.ggml of a T5 with the golden model's number of tokens."""
    types = {"<pad>": CONTROL, "</s>": CONTROL, "<unk>": UNKNOWN}
    listed = vocabulary(list(TOKENS), types, 60)
    scores = np.full(60, -10000, np.float32)
    scores[: len(TOKENS)] = list(TOKENS.values())
    ids = {"padding_token_id": 0, "eos_token_id": 1, "unknown_token_id": 2}
    given = {"model": "t5", "pre": "default", **listed, "scores": scores, **ids}
    return {f"tokenizer.ggml.{key}": value for key, value in given.items()}


def test_texts(tmp_path: Path) -> None:
    """The engine adds an end token to a source, and the padding token starts the target."""
    model = ae.load(written(tmp_path, CASES["t5: plain"], keys()))
    assert isinstance(model, ae.Seq2Seq)
    config = model.config
    assert (config["add_source_bos"], config["add_source_eos"]) == (False, True)
    assert (config["decoder_start_token_id"], config["eos_token_id"]) == (0, 1)
    by_text = model.translate("abc ab", max_new_tokens=5)
    by_ids = model.translate([4, 5, 3], max_new_tokens=5)
    assert by_text.hypotheses == by_ids.hypotheses


def test_sentinels(tmp_path: Path) -> None:
    """Sentinels follow the pieces; files hold placeholders in their place."""
    checkpoint = loaders.load(written(tmp_path, CASES["t5: plain"], keys()))
    tokenizer = open_tokenizer(checkpoint, "source")
    assert tokenizer.encode("ab<extra_id_99><extra_id_98>") == [3, 7, 8]
    assert tokenizer.decode([3, 7]) == "ab"


def test_convert(tmp_path: Path) -> None:
    loaders.convert(written(tmp_path, CASES["t5: plain"], keys()), tmp_path / "native")
    model, native = ae.load(tmp_path / "model.gguf"), ae.load(tmp_path / "native")
    assert isinstance(model, ae.Seq2Seq)
    assert isinstance(native, ae.Seq2Seq)
    assert native.config == model.config
    assert native.translate("abc ab") == model.translate("abc ab")
