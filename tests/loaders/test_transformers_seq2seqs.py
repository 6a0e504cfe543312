"""Encoder-decoders that transformers saves: the same logits, and the same greedy search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import Seq2Seq
from tests.golden import huggingface as golden
from tests.golden.families import FAMILIES

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

CASES = {
    f"{name}: {variant}": (name, case)
    for name, family in FAMILIES.items()
    if family.kind == "seq2seq"
    for variant, case in golden.cases(name).items()
}


@pytest.fixture(scope="module")
def torch() -> Any:
    pytest.importorskip("transformers")
    return pytest.importorskip("torch")


@pytest.mark.parametrize("name", CASES)
def test_a_folder(tmp_path: Path, torch: Any, name: str) -> None:
    family, case = CASES[name]
    module = saved(tmp_path, family, case)
    model = ae.load(tmp_path)
    assert isinstance(model, Seq2Seq)
    for prompt in case["prompts"]:
        logits = model.logits(prompt["source"], prompt["ids"])
        # float32 against float64, as in the golden test
        np.testing.assert_allclose(logits[prompt["rows"]], prompt["outputs"], rtol=1e-4, atol=2e-4)
    source = case["greedy"]["source"]
    result = model.translate(source, beam_size=1, max_new_tokens=20, min_new_tokens=0)
    with torch.no_grad():
        found = module.generate(
            torch.tensor([added(source, model.config)]), max_new_tokens=20, num_beams=1
        )
    end = model.config["eos_token_id"]
    expected = [token for token in found[0].tolist()[1:] if token != end]
    assert list(result.hypotheses[0].ids) == expected
    assert found[0, 0] == model.config["decoder_start_token_id"]


def saved(folder: Path, family: str, case: dict[str, Any]) -> Any:
    """The model of a golden case, in float64, and in a folder in float32."""
    from tests.golden.make_huggingface import filled

    config = {key: value for key, value in case["config"].items() if key != "architecture"}
    module, _ = filled(FAMILIES[family], config, case["seed"])
    module.generation_config.forced_eos_token_id = None  # only where a search is cut off
    if family == "marian":
        module.generation_config.bad_words_ids = [[0]]  # as the published ones have it
    module.float().save_pretrained(folder)
    return module.double()


def added(source: list[int], config: dict[str, Any]) -> list[int]:
    """What translate adds to a source."""
    begin = [config["source_bos_token_id"]] if config["add_source_bos"] else []
    return begin + source + [config["source_eos_token_id"]]
