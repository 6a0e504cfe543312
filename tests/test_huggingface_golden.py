"""Models of Hugging Face's families against transformers (golden/make_huggingface.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine.models import build
from tests.golden import huggingface as golden

CASES = {
    f"{family}: {variant}": case
    for family in golden.FAMILIES
    for variant, case in golden.cases(family).items()
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return CASES[request.param]


def test_logits(case: dict[str, Any]) -> None:
    _, share = golden.logits_difference(case, golden.model(case))
    assert share <= 1  # of 2e-4 + 1e-4 relative


def test_greedy_tokens(case: dict[str, Any]) -> None:
    assert len(case["greedy"]["tokens"]) == 20
    assert golden.greedy(case, golden.model(case)) == case["greedy"]["tokens"]


def test_cached_against_uncached(case: dict[str, Any]) -> None:
    decoder = golden.model(case)
    for prompt in case["prompts"]:
        arguments = decoder, prompt["ids"], prompt.get("source")
        np.testing.assert_array_equal(golden.cached(*arguments), golden.uncached(*arguments))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("llama: rope linear", {"rope_scaling": None}),
        ("llama: rope llama3", {"rope_scaling": None}),
        ("llama: rope yarn", {"rope_scaling": None}),
        ("llama: rope theta 500000", {"rope_theta": 10_000.0}),
        ("llama: gelu", {"hidden_act": "silu"}),
        ("llama: gelu", {"hidden_act": "gelu_pytorch_tanh"}),
        ("gpt2: gelu", {"activation_function": "gelu_new"}),
        ("gpt2: relu, epsilon 0.001", {"layer_norm_epsilon": 1e-5}),
        ("marian: relu, not scaled", {"scale_embedding": True}),
        ("marian: sides differ", {"decoder_attention_heads": 4}),
    ],
)
def test_a_wrong_switch_is_seen(name: str, changes: dict[str, Any]) -> None:
    case = CASES[name]
    config = case["config"] | changes
    decoder = build(config, golden.weights(case["shapes"], case["seed"]))
    assert golden.logits_difference(case, decoder)[1] > 1


def test_the_table_in_the_documentation_has_every_variant() -> None:
    page = Path(__file__).parent.parent / "docs" / "models.md"
    text = page.read_text(encoding="utf-8")
    for name in CASES:
        family, _, variant = name.partition(": ")
        assert f"| {family} | {variant} |" in text
