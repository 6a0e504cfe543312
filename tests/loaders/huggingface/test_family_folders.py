"""Folders with the golden models of each family load and give the golden outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import Error, FormatError
from attnengine.loaders.huggingface.families import FAMILIES as TABLES
from attnengine.models import build
from tests.golden import huggingface as golden
from tests.golden.families import FAMILIES
from tests.loaders.huggingface.huggingface_files import write_json, write_safetensors

CASES = [
    (name, variant)
    for name, family in FAMILIES.items()
    if family.kind == "decoder"
    for variant in family.variants
]
EARLY = [(name, variant) for name, family in FAMILIES.items() for variant in family.early]
# Defaults of transformers may exceed this small vocabulary.
TOKENS = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": None}


def check(folder: Path, case: golden.Case) -> None:
    checkpoint = loaders.load(folder)
    model = build(checkpoint.config, checkpoint.tensors)
    assert golden.difference(case, model)[1] <= 1  # tolerance: 2e-4 + 1e-4 |theirs|


def write_early(folder: Path, name: str, case: golden.Case, **changes: Any) -> None:
    """Write a folder with the earliest names of keys and weights."""
    table = TABLES[name]
    early = {key: spelling for spelling, key in table.spellings.items()}
    config = {early.get(key, key): value for key, value in (case["config"] | changes).items()}
    del config["architecture"]
    write_json(folder / "config.json", {"model_type": name, **TOKENS, **config})
    heads = FAMILIES[name].early_heads
    weights = {}
    for full, values in golden.weights(case["shapes"], case["seed"]).items():
        head = next((head for head in heads if full.startswith(head)), "")
        weights[heads.get(head, "") + full[len(head) :]] = values
    write_safetensors(folder / "model.safetensors", weights)


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_what_version_4_wrote(tmp_path: Path, name: str, variant: str) -> None:
    case = golden.cases(name)[variant]
    write_early(tmp_path, name, case)
    check(tmp_path, case)


@pytest.mark.parametrize(("name", "variant"), EARLY)
def test_the_config_that_version_4_wrote(tmp_path: Path, name: str, variant: str) -> None:
    """The config of version 4 is written by hand, independent of the loader's table."""
    case = golden.cases(name)[variant]
    config = {"model_type": name, **FAMILIES[name].early[variant], **TOKENS}
    write_json(tmp_path / "config.json", config)
    weights = golden.weights(case["shapes"], case["seed"])
    write_safetensors(tmp_path / "model.safetensors", weights)
    check(tmp_path, case)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "variant"), CASES)
def test_what_save_pretrained_writes(tmp_path: Path, name: str, variant: str) -> None:
    pytest.importorskip("transformers")
    from tests.golden.make_huggingface import filled

    case = golden.cases(name)[variant]
    config: dict[str, Any] = {k: v for k, v in case["config"].items() if k != "architecture"}
    module, _ = filled(FAMILIES[name], config, case["seed"])
    for key, value in TOKENS.items():
        for settings in (module.config, module.generation_config):
            setattr(settings, key, value)
    module.float().save_pretrained(tmp_path)
    check(tmp_path, case)


OTHER: dict[type, Any] = {bool: lambda value: not value, float: lambda value: value / 2}


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, key) for name in dict(CASES) for key in TABLES[name].neutral],
)
def test_a_switch_that_is_not_there_is_refused_by_name(tmp_path: Path, name: str, key: str) -> None:
    case, value = next(iter(golden.cases(name).values())), TABLES[name].neutral[key]
    write_early(tmp_path, name, case, **{key: value})
    check(tmp_path, case)
    write_early(tmp_path, name, case, **{key: OTHER.get(type(value), lambda _: "other")(value)})
    with pytest.raises(Error, match=f"'{key}'"):
        check(tmp_path, case)


@pytest.mark.parametrize("name", TABLES)
def test_a_dropped_key_has_no_default(name: str) -> None:
    """A default would hide the value of a dropped key."""
    assert not TABLES[name].neutral.keys() & TABLES[name].defaults.keys()


def test_two_names_of_a_key_agree(tmp_path: Path) -> None:
    config = {"model_type": "gpt_neox", "vocab_size": 4, **TOKENS}
    write_safetensors(tmp_path / "model.safetensors", {"x": np.ones(1, np.float32)})
    write_json(
        tmp_path / "config.json", {**config, "rotary_pct": 0.5, "partial_rotary_factor": 0.5}
    )
    assert loaders.load(tmp_path).config["partial_rotary_factor"] == 0.5
    write_json(tmp_path / "config.json", {**config, "rotary_pct": 0.5, "partial_rotary_factor": 1})
    with pytest.raises(
        FormatError,
        match=r"rotary_pct is 0\.5, but partial_rotary_factor, another name of it, is 1",
    ):
        loaders.load(tmp_path)
