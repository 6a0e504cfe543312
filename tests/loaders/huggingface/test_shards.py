"""Transformers folders with weights in every layout that transformers has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError
from tests.loaders.arrays import Arrays, random_arrays
from tests.loaders.huggingface.huggingface_files import (
    LLAMA_SHAPES,
    write_bin,
    write_json,
    write_llama,
    write_safetensors,
    write_shards,
)


def expect_weights(folder: Path, arrays: Arrays) -> None:
    tensors = loaders.load(folder).tensors
    assert tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(tensors[name].read(), array.astype(np.float32), strict=True)


@pytest.mark.parametrize("prefixed", [True, False])
@pytest.mark.parametrize("form", ["one", "shards", "bin", "float16"])
def test_every_form_of_weights(tmp_path: Path, form: str, prefixed: bool) -> None:
    folder = write_llama(tmp_path, weights=False)
    arrays = random_arrays(LLAMA_SHAPES)
    if form == "float16":
        arrays = {name: array.astype(np.float16) for name, array in arrays.items()}
    named = arrays if prefixed else {k.removeprefix("model."): v for k, v in arrays.items()}
    if form == "shards":
        write_shards(folder, named)
    elif form == "one":
        write_safetensors(folder / "model.safetensors", named)
    else:
        write_bin(folder / "pytorch_model.bin", named)
    expect_weights(folder, arrays)


def test_bfloat16_and_sharded_bin(tmp_path: Path) -> None:
    folder = write_llama(tmp_path, weights=False)
    arrays = random_arrays(LLAMA_SHAPES)
    upper = {
        name: (array.view(np.uint32) >> 16).astype(np.uint16) for name, array in arrays.items()
    }
    write_bin(folder / "a.bin", upper)
    places = dict.fromkeys(upper, "a.bin")
    write_json(folder / "pytorch_model.bin.index.json", {"weight_map": places})
    rounded = {k: (v.astype(np.uint32) << 16).view(np.float32) for k, v in upper.items()}
    expect_weights(folder, rounded)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"x": "../model.safetensors"}, r"'x' is in '\.\./model.safetensors', expected a file na"),
        ({"x": "/etc/passwd"}, "expected a file name"),
        ({"x": "a\\b"}, "expected a file name"),
        ({"x": ".."}, "expected a file name"),
        ({"x": 3}, "'x' is in 3, expected a file name"),
        ({"x": "b.safetensors"}, r"the shard 'b\.safetensors' is missing"),
        ({"x": "one.safetensors"}, r"'one\.safetensors' has no weight 'x'"),
        ({"lm_head.weight": "one.safetensors"}, r"'model.*' of 'one.*' is not in weight_map"),
        ({}, "weight_map is {}, expected a file of each weight"),
        ([], r"weight_map is \[\]"),
    ],
)
def test_an_index_that_does_not_fit(tmp_path: Path, places: Any, message: str) -> None:
    folder = write_llama(tmp_path / "model", weights=False)
    write_safetensors(folder / "one.safetensors", random_arrays(LLAMA_SHAPES))
    write_safetensors(tmp_path / "model.safetensors", random_arrays({"x": (2,)}))
    write_json(folder / "model.safetensors.index.json", {"weight_map": places})
    with pytest.raises(FormatError, match=message):
        loaders.load(folder)


def test_no_weights(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"has no weights, expected one of model\.safetensors, "):
        loaders.load(write_llama(tmp_path, weights=False))


def test_names_that_collide(tmp_path: Path) -> None:
    arrays = random_arrays({"norm.weight": (4,), "model.norm.weight": (4,)})
    folder = write_llama(tmp_path, weights=False)
    write_safetensors(folder / "model.safetensors", arrays)
    with pytest.raises(FormatError, match=r"are both model\.norm\.weight"):
        loaders.load(folder)


def test_tied_weights_stand_once(tmp_path: Path) -> None:
    arrays = random_arrays({"model.embed_tokens.weight": (5, 4), "model.norm.weight": (4,)})
    folder = write_llama(tmp_path, weights=False, tie_word_embeddings=True)
    write_bin(
        folder / "pytorch_model.bin",
        {**arrays, "lm_head.weight": arrays["model.embed_tokens.weight"]},
    )
    expect_weights(folder, arrays)
    only_head = {"lm_head.weight": arrays["model.embed_tokens.weight"]}
    only_head["norm.weight"] = arrays["model.norm.weight"]
    write_bin(folder / "pytorch_model.bin", only_head)
    expect_weights(folder, arrays)
    write_bin(folder / "pytorch_model.bin", {**arrays, "lm_head.weight": np.ones((5, 4), "f4")})
    with pytest.raises(FormatError, match="differ, but tie_word_embeddings is true"):
        loaders.load(folder)
    expect_weights(
        write_llama(folder, weights=False),  # not tied
        {**arrays, "lm_head.weight": np.ones((5, 4), "f4")},
    )
