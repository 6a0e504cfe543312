"""Encoder-decoders that transformers saves give its logits and its search results."""

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

# In transformers a forbidden token keeps its share of the probability, which changes the order of
# beams. Its M2M-100 gives no position to a padding token that a beam has generated.
BEAM_SIZES = {"marian": (1,), "m2m_100": (1,)}


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
        # float32 against float64, with the tolerance of the golden test
        np.testing.assert_allclose(logits[prompt["rows"]], prompt["outputs"], rtol=1e-4, atol=2e-4)
    source = case["greedy"]["source"]
    for beam_size in BEAM_SIZES.get(family, (1, 3)):
        # early_stopping in transformers equals stopping="candidates" here
        search = {"max_new_tokens": 20, "length_penalty": 0.0}
        result = model.translate(source, beam_size=beam_size, min_new_tokens=0, **search)
        with torch.no_grad():
            ids = torch.tensor([added(source, model.config)])
            search |= {"num_beams": beam_size, "early_stopping": beam_size > 1}
            found = module.generate(ids, **search)[0].tolist()
        assert found[0] == model.config["decoder_start_token_id"]
        expected = [token for token in found[1:] if token != model.config["eos_token_id"]]
        assert list(result.hypotheses[0].ids) == expected


def saved(folder: Path, family: str, case: dict[str, Any]) -> Any:
    """Save the model of a golden case in float32, and return it in float64."""
    from tests.golden.make_huggingface import filled

    config = {key: value for key, value in case["config"].items() if key != "architecture"}
    module, _ = filled(FAMILIES[family], config, case["seed"])
    module.generation_config.forced_eos_token_id = None  # it acts only at the length limit
    if family == "marian":
        module.generation_config.bad_words_ids = [[0]]  # like published models
    module.float().save_pretrained(folder)
    return module.double()


def added(source: list[int], config: dict[str, Any]) -> list[int]:
    """The source with the tokens that translate() adds."""
    begin = [config["source_bos_token_id"]] if config["add_source_bos"] else []
    return begin + source + [config["source_eos_token_id"]]
