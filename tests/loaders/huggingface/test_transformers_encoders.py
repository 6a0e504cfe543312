"""Encoder folders that transformers itself writes, with and without a head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from tests.golden.families import FAMILIES

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

ENCODERS = [name for name, family in FAMILIES.items() if family.kind == "encoder"]
IDS = [4, 5, 9, 10, 11, 5]  # without padding


def save(folder: Path, kind: str, head: str) -> Any:
    """Write a random model and return it without its head."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    family = FAMILIES[kind]
    torch.manual_seed(0)
    config = getattr(transformers, family.config_class)(**family.options(family.base))
    model = getattr(transformers, family.model_class.removesuffix("Model") + head)(config).eval()
    model.save_pretrained(folder)
    return model.base_model


def expected(model: Any) -> Any:
    import torch

    with torch.no_grad():
        return model(input_ids=torch.tensor([IDS])).last_hidden_state[0].numpy()


@pytest.mark.parametrize("head", ["Model", "ForMaskedLM", "ForSequenceClassification"])
@pytest.mark.parametrize("kind", ENCODERS)
def test_what_save_pretrained_writes(tmp_path: Path, kind: str, head: str) -> None:
    model = save(tmp_path, kind, head)
    ours = ae.load(tmp_path).hidden_states(IDS)
    # both sides compute in float32; values reach about 3 after two or three layers
    np.testing.assert_allclose(ours, expected(model), rtol=0, atol=2e-5)


def test_the_modernbert_config_of_version_4(tmp_path: Path) -> None:
    model = save(tmp_path, "modernbert", "Model")
    file = tmp_path / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    for key in ("layer_types", "rope_parameters"):
        del config[key]
    config |= {"global_attn_every_n_layers": 3, "global_rope_theta": 160000.0}
    config |= {"local_rope_theta": 10000, "position_embedding_type": "absolute"}
    config |= {"layer_norm_eps": 1e-5, "reference_compile": None, "torch_dtype": "float32"}
    file.write_text(json.dumps(config), encoding="utf-8")
    np.testing.assert_allclose(ae.load(tmp_path).hidden_states(IDS), expected(model), atol=2e-5)
