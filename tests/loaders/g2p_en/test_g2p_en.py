"""The .npz file of the package g2p_en."""

from __future__ import annotations

from pathlib import Path

import attnengine as ae
from tests.loaders.g2p_en.g2p_en_files import UNITS, write_g2p_en

CLOSE: dict[str, float] = {"rtol": 0, "atol": 3e-6}  # float32 against float64


def test_g2p_en(tmp_path: Path) -> None:
    model = ae.load(write_g2p_en(tmp_path))
    assert model.config["decoder_hidden_size"] == UNITS
    assert model.source_tokenizer.encode("ab-") == [3, 4, 1]
    assert model.target_tokenizer.decode([4, 73]) == "AA0 ZH"
    assert model.translate("ab", max_new_tokens=5).hypotheses[0].tokens
