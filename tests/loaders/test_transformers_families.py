"""A folder of every family as transformers 5 writes it, and with the config of version 4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_files import write_json

from attnengine import loaders
from attnengine.models import build
from tests.golden import huggingface as golden
from tests.golden.families import FAMILIES

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

VARIANTS = [(name, variant) for name, family in FAMILIES.items() for variant in family.variants]
EARLY = [(name, variant) for name, family in FAMILIES.items() for variant in family.early]


def save(folder: Path, name: str, variant: str) -> dict[str, Any]:
    """Write a golden variant with transformers and return its case."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.golden import make_huggingface

    case = golden.cases(name)[variant]
    config = {key: value for key, value in case["config"].items() if key != "architecture"}
    module, _ = make_huggingface.filled(FAMILIES[name], config, case["seed"])
    if FAMILIES[name].kind == "decoder":  # the default ones may lie beyond this vocabulary
        for settings in (module.config, module.generation_config):
            settings.bos_token_id, settings.eos_token_id = 0, 1
    module.float().save_pretrained(folder)
    return case


def check(folder: Path, case: dict[str, Any]) -> None:
    checkpoint = loaders.load(folder)
    model = build(checkpoint.config, checkpoint.tensors)
    assert golden.difference(case, model)[1] <= 1


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_the_numbers_of_a_saved_model(tmp_path: Path, name: str, variant: str) -> None:
    check(tmp_path, save(tmp_path, name, variant))


@pytest.mark.parametrize(("name", "variant"), EARLY)
def test_the_same_with_the_config_of_version_4(tmp_path: Path, name: str, variant: str) -> None:
    case = save(tmp_path, name, variant)
    write_json(tmp_path / "config.json", {"model_type": name, **FAMILIES[name].early[variant]})
    check(tmp_path, case)
