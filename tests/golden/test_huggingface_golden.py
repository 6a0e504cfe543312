"""Models of Hugging Face's families against outputs of transformers (make_huggingface.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine.models import build
from tests.golden import huggingface as golden
from tests.golden.families import FAMILIES

CASES = {
    f"{family}: {variant}": case
    for family in FAMILIES
    for variant, case in golden.cases(family).items()
}
DECODERS = [name for name, case in CASES.items() if "greedy" in case]
WRONG = [
    (f"{name}: {variant}", changes) for name, f in FAMILIES.items() for variant, changes in f.wrong
]


@pytest.mark.parametrize("name", CASES)
def test_outputs(name: str) -> None:
    _, share = golden.difference(CASES[name], golden.model(CASES[name]))
    assert share <= 1  # tolerance: 2e-4 + 1e-4 |theirs|


@pytest.mark.parametrize("name", DECODERS)
def test_greedy_tokens(name: str) -> None:
    case = CASES[name]
    assert len(case["greedy"]["tokens"]) == 20
    assert golden.greedy(case, golden.model(case)) == case["greedy"]["tokens"]


@pytest.mark.parametrize("name", DECODERS)
def test_cached_against_uncached(name: str) -> None:
    decoder = golden.model(CASES[name])
    for prompt in CASES[name]["prompts"]:
        arguments = decoder, prompt["ids"], prompt.get("source")
        np.testing.assert_array_equal(golden.cached(*arguments), golden.uncached(*arguments))


@pytest.mark.parametrize(("name", "changes"), WRONG)
def test_a_wrong_switch_is_seen(name: str, changes: dict[str, Any]) -> None:
    case = CASES[name]
    model = build(case["config"] | changes, golden.weights(case["shapes"], case["seed"]))
    assert golden.difference(case, model)[1] > 1


@pytest.mark.parametrize("family", FAMILIES)
def test_golden_files_have_the_variants_of_their_family(family: str) -> None:
    cases, described = golden.cases(family), FAMILIES[family]
    assert list(cases) == list(described.variants)
    for variant, changes in described.variants.items():
        expected = {"architecture": family, **described.base, **changes}
        assert cases[variant]["config"] == json.loads(json.dumps(expected))


def test_the_table_in_the_documentation_has_every_variant() -> None:
    text = (Path(__file__).parents[2] / "docs" / "parity.md").read_text(encoding="utf-8")
    for name in CASES:
        family, _, variant = name.partition(": ")
        assert f"| {family} | {variant} |" in text
