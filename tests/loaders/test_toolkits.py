"""Checkpoints that other toolkits wrote, and the logits that they give: tests/golden/toolkits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import attnengine as ae

FOLDER = Path(__file__).parents[1] / "golden" / "toolkits"
MODELS = sorted(path.parent for path in FOLDER.glob("*/expected.json"))


def model_of(folder: Path) -> Path:
    """The checkpoint in a folder, or the folder itself where a format is one."""
    checkpoints = sorted(folder.glob("*.pt"))
    return checkpoints[0] if checkpoints else folder


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_logits_of_the_toolkit(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    found = ae.load(model_of(folder)).logits(expected["source"], expected["target"])
    logits = np.array(expected["logits"])
    assert logits.std() > 0.1
    # float32 on both sides, sums of some dozen terms through two layers
    np.testing.assert_allclose(found[:, : logits.shape[1]], logits, rtol=1e-4, atol=2e-5)
    assert expected["writer"]


def test_every_toolkit_is_there() -> None:
    assert {folder.name.split("-")[0] for folder in MODELS} >= {"opennmt"}
