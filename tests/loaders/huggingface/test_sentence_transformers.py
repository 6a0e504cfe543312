"""Encoders in transformers folders, and the files that sentence-transformers adds to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import Error, FormatError, Unsupported
from tests.golden import huggingface as golden
from tests.loaders.huggingface.huggingface_files import write_json, write_safetensors

CASE = golden.cases("bert")["plain"]
KINDS = ("Transformer", "Pooling", "Normalize")
IDS = [1, 5, 7, 2]


def write_encoder(folder: Path, **changes: Any) -> Path:
    """Write a BERT as version 4 of transformers did, without its head, in the folder itself."""
    folder.mkdir(exist_ok=True)
    config = {key: value for key, value in CASE["config"].items() if key != "architecture"}
    write_json(folder / "config.json", {"model_type": "bert", **config, **changes})
    arrays = golden.weights(CASE["shapes"], CASE["seed"])
    early = {}
    for name, array in arrays.items():
        name = name.removeprefix("bert.")
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        early[name.replace("LayerNorm.bias", "LayerNorm.beta")] = array
    early["pooler.dense.weight"] = np.ones((32, 32), np.float32)
    early["embeddings.position_ids"] = np.arange(64, dtype=np.float32)[None]
    write_safetensors(folder / "model.safetensors", early)
    return folder


def write_modules(
    folder: Path, pooling: dict[str, Any], kinds: tuple[str, ...] = KINDS, first: str = ""
) -> Path:
    modules = [
        {"type": f"sentence_transformers.models.{kind}", "path": f"{i}_{kind}" if i else first}
        for i, kind in enumerate(kinds)
    ]
    write_json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, **pooling})
    return folder


def test_without_modules_the_mean_is_taken(tmp_path: Path) -> None:
    model = ae.load(write_encoder(tmp_path))
    assert isinstance(model, ae.Encoder)
    states = model.hidden_states(IDS)
    expected = golden.uncached(golden.model(CASE), IDS, None)
    np.testing.assert_array_equal(states, expected)
    np.testing.assert_allclose(model.encode(IDS), states.mean(axis=0), rtol=0, atol=1e-6)
    assert abs(np.linalg.norm(model.encode(IDS)) - 1) > 0.1


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True}, "first"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_lasttoken": True, "include_prompt": True}, "last"),
        ({"pooling_mode": "cls"}, "first"),
    ],
)
def test_poolings(tmp_path: Path, pooling: dict[str, Any], expected: str) -> None:
    model = ae.load(write_modules(write_encoder(tmp_path), pooling))
    vector = model.encode(IDS)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    plain = model.encode(IDS, pooling=expected, normalize=False)
    np.testing.assert_allclose(vector, plain / np.linalg.norm(plain), rtol=0, atol=1e-6)
    together = model.encode([[3], IDS, [4, 5]], max_batch_size=2)
    np.testing.assert_array_equal(together[1], vector)


def test_the_transformer_may_lie_in_a_folder_inside(tmp_path: Path) -> None:
    write_encoder(tmp_path / "0_Transformer")
    kinds, mean = KINDS[:2], {"pooling_mode_mean_tokens": True}
    inside = ae.load(write_modules(tmp_path, mean, kinds, first="0_Transformer"))
    outside = ae.load(tmp_path / "0_Transformer")
    np.testing.assert_array_equal(inside.encode(IDS), outside.encode(IDS))


def test_conversion_keeps_pooling(tmp_path: Path) -> None:
    write_modules(write_encoder(tmp_path / "theirs"), {"pooling_mode_cls_token": True})
    loaders.convert(tmp_path / "theirs", tmp_path / "ours")
    theirs, ours = ae.load(tmp_path / "theirs"), ae.load(tmp_path / "ours")
    np.testing.assert_array_equal(theirs.encode(IDS), ours.encode(IDS))


@pytest.mark.parametrize(
    ("pooling", "kinds", "error", "message"),
    [
        ({"pooling_mode_mean_sqrt_len_tokens": True}, KINDS, Unsupported, "mean_sqrt_len_tokens"),
        ({}, KINDS, Unsupported, "pooling is .., expected one of mean, cls"),
        (
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
            KINDS,
            Unsupported,
            r"pooling is \['mean', 'cls'\], expected one of mean",
        ),
        ({"pooling_mode": "cls", "word_embedding_dimension": 31}, KINDS, FormatError, "is 31"),
        ({}, (*KINDS[:2], "Dense"), Unsupported, "modules are Transformer, Pooling, Dense"),
        ({}, ("Pooling",), Unsupported, "modules are Pooling, expected Transformer"),
    ],
)
def test_what_is_refused(
    tmp_path: Path,
    pooling: dict[str, Any],
    kinds: tuple[str, ...],
    error: type[Error],
    message: str,
) -> None:
    write_modules(write_encoder(tmp_path), pooling, kinds)
    with pytest.raises(error, match=message):
        ae.load(tmp_path)


def test_a_module_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    write_encoder(tmp_path / "theirs")
    write_modules(tmp_path / "theirs", {"pooling_mode": "cls"}, first="../elsewhere")
    with pytest.raises(FormatError, match=r"path is '\.\./elsewhere', expected a folder beside it"):
        ae.load(tmp_path / "theirs")


@pytest.mark.parametrize("key", ["is_decoder", "add_cross_attention"])
def test_a_decoder_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises((FormatError, Unsupported), match=key):
        ae.load(write_encoder(tmp_path, **{key: True}))
