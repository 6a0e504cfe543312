"""Checkpoints written by other toolkits give the toolkits' logits (tests/golden/toolkits)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import attnengine as ae
from attnengine.engines import convert
from tests.loaders.golden_toolkits import FOLDER, MODELS, model_of


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_logits_of_the_toolkit(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    model = ae.load(model_of(folder))
    found = model.logits(expected["source"], expected["target"])
    logits = np.array(expected["logits"])
    assert logits.std() > 0.1
    # both sides sum some dozen terms in float32, through two layers
    np.testing.assert_allclose(found, logits, rtol=1e-4, atol=2e-5)
    assert len(model.translate("a b c", beam_size=2, max_new_tokens=3).hypotheses) >= 1


@pytest.mark.parametrize("name", ["opennmt-2-lstm", "opennmt-3-average", "fairseq-projected"])
def test_converted_to_a_native_folder(name: str, tmp_path: Path) -> None:
    path = model_of(FOLDER / name)
    convert(path, tmp_path / "native", packed=True)
    model, converted = ae.load(path), ae.load(tmp_path / "native")
    source, target = [4, 3, 5], [2, 6, 7]
    assert model.logits(source, target).tobytes() == converted.logits(source, target).tobytes()
    assert converted.translate("a b").text == model.translate("a b").text


@pytest.mark.parametrize(
    ("toolkit", "count"),
    [("opennmt-1", 5), ("opennmt-2", 5), ("opennmt-3", 5), ("fairseq", 4), ("joeynmt", 5)],
)
def test_every_toolkit_is_there(toolkit: str, count: int) -> None:
    assert sum(folder.name.startswith(toolkit) for folder in MODELS) == count
