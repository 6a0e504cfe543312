"""Encoders in GGUF against outputs of transformers with the same weights (tests/golden)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders, models
from attnengine.errors import Unsupported
from tests.golden import huggingface as golden
from tests.loaders.gguf.gguf_conversion import written
from tests.loaders.gguf.gguf_files import CONTROL, vocabulary

CASE = golden.cases("bert")["plain"]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁un", "able", "s", "▁able", "!", "▁,"]


def keys() -> dict[str, Any]:
    """Keys of tokenizer.ggml of a BERT with the golden model's number of tokens."""
    listed = vocabulary(TOKENS, dict.fromkeys(TOKENS[:5], CONTROL), CASE["config"]["vocab_size"])
    special = {"unknown_token_id": 1, "seperator_token_id": 3, "padding_token_id": 0}
    given = {"model": "bert", "token_type_count": 2, "cls_token_id": 2, **listed, **special}
    return {f"tokenizer.ggml.{key}": value for key, value in given.items()}


def test_states(tmp_path: Path) -> None:
    checkpoint = loaders.load(written(tmp_path, CASE))
    model = models.build(checkpoint.config, checkpoint.tensors)
    assert golden.difference(CASE, model)[1] <= 1  # tolerance: 2e-4 + 1e-4 |theirs|
    assert set(checkpoint.tensors) == set(CASE["shapes"])
    assert checkpoint.config.items() >= CASE["config"].items()


def test_texts(tmp_path: Path) -> None:
    """The engine adds a begin and an end token to a text, as every BERT file asks."""
    model = ae.load(written(tmp_path, CASE, keys()))
    assert isinstance(model, ae.Encoder)
    ids = [2, 5, 6, 7, 8, 3]  # [CLS] un ##able ##s able [SEP]
    np.testing.assert_array_equal(
        model.encode("Unables able"), model.hidden_states(ids).mean(axis=0)
    )
    assert [model.config[f"{key}_token_id"] for key in ("bos", "eos", "pad", "unk")] == [2, 3, 0, 1]


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "mean"), (1, "mean"), (2, "first"), (3, "last")]
)
def test_pooling(tmp_path: Path, value: int, expected: str) -> None:
    config = loaders.load(written(tmp_path, CASE, {"bert.pooling_type": value})).config
    assert (config["pooling"], config["normalize"]) == (expected, False)


def test_a_pooling_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"bert.pooling_type is 4, expected one of 0, 1, 2, 3"):
        loaders.load(written(tmp_path, CASE, {"bert.pooling_type": 4}))
