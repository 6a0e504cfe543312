"""Both spellings of rotary positions in config.json, for all layers and by kind of layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.arrays import random_arrays
from tests.loaders.huggingface.huggingface_files import (
    config_of,
    write_json,
    write_llama,
    write_safetensors,
)

LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 32}


@pytest.mark.parametrize(
    ("given", "theta", "scaling"),
    [
        ({"rope_theta": 500000}, 500000.0, None),
        ({"rope_theta": 5e5, "rope_scaling": None}, 5e5, None),
        (
            {"rope_scaling": {"type": "linear", "factor": 2.0}},
            1e4,
            {"rope_type": "linear", "factor": 2.0},
        ),
        (
            {"rope_theta": 5e5, "rope_scaling": {"type": "x", "rope_type": "llama3", **LLAMA3}},
            5e5,
            {"rope_type": "llama3", **LLAMA3},
        ),
        ({"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}, 5e5, None),
        (
            {"rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", **LLAMA3}},
            5e5,
            {"rope_type": "llama3", **LLAMA3},
        ),
        ({"rope_parameters": {"rope_type": "default"}, "rope_theta": 7.0}, 7.0, None),
        ({"rope_parameters": {"rope_theta": 7.0, "partial_rotary_factor": 1.0}}, 7.0, None),
    ],
)
def test_both_spellings_of_rotary_positions(
    tmp_path: Path, given: dict[str, Any], theta: float, scaling: dict[str, Any] | None
) -> None:
    config = config_of(write_llama(tmp_path, **given))
    assert (config["rope_theta"], config["rope_scaling"]) == (theta, scaling)
    assert isinstance(config["rope_theta"], float)
    assert config.keys() == config_of(write_llama(tmp_path / "plain")).keys()


def test_rotary_positions_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="rope_scaling is 'linear', expected an object or null"):
        config_of(write_llama(tmp_path, rope_scaling="linear"))
    nested = {"full_attention": {"rope_theta": 1.0}}
    with pytest.raises(Unsupported, match="rope_parameters differs between layers"):
        config_of(write_llama(tmp_path, rope_parameters=nested))
    with pytest.raises(FormatError, match="is damaged"):
        config_of(write_llama(tmp_path, rope_theta=10**400))
    # The unknown key stays in the config, so that the family refuses it by name.
    sections = {"type": "default", "mrope_section": [1, 1]}
    kept = config_of(write_llama(tmp_path, rope_scaling=sections))["rope_scaling"]
    assert kept == {"rope_type": "default", "mrope_section": [1, 1]}
    # Families without partial rotation refuse this key by name.
    assert config_of(write_llama(tmp_path, partial_rotary_factor=0.5))["partial_rotary_factor"]


GEMMA3 = {"model_type": "gemma3_text", "vocab_size": 9}


@pytest.mark.parametrize(
    ("given", "full", "local"),
    [
        ({}, 1e6, 1e4),
        ({"rope_theta": 5e5, "rope_local_base_freq": 7.0}, 5e5, 7.0),
        ({"rope_parameters": {"full_attention": {"rope_theta": 5e5}}}, 5e5, 1e4),
        (
            {
                "rope_parameters": {
                    "full_attention": None,
                    "sliding_attention": {"rope_type": "default", "rope_theta": 7.0},
                }
            },
            1e6,
            7.0,
        ),
    ],
)
def test_rotary_positions_of_each_kind_of_layer(
    tmp_path: Path, given: dict[str, Any], full: float, local: float
) -> None:
    write_json(tmp_path / "config.json", {**GEMMA3, **given})
    write_safetensors(tmp_path / "model.safetensors", random_arrays({"norm.weight": (4,)}))
    config = config_of(tmp_path)
    assert (config["rope_theta"], config["rope_local_base_freq"]) == (full, local)
    assert config["rope_scaling"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"rope_theta": 5e5},
        {"chunked_attention": {"rope_theta": 5e5}},
        {"sliding_attention": {"rope_type": "linear", "factor": 2.0}},
        {"sliding_attention": {"factor": 2.0}},
        {"full_attention": 5e5},
    ],
)
def test_rotary_positions_of_a_kind_that_are_refused(tmp_path: Path, parameters: Any) -> None:
    write_json(tmp_path / "config.json", {**GEMMA3, "rope_parameters": parameters})
    with pytest.raises(Unsupported, match="expected one for each of full_attention and sliding"):
        loaders.load(tmp_path)
