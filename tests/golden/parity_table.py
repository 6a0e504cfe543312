"""Writes docs/parity.md: differences between our models and transformers, family by family.

    python -m tests.golden.parity_table

It compares with the golden files in huggingface/ and needs neither torch nor transformers.
"""

from __future__ import annotations

from pathlib import Path

from tests.golden.families import FAMILIES
from tests.golden.huggingface import Case, cases, difference, greedy, model

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
INTRODUCTION = """# Parity with transformers

The table compares tiny random models here, on AVX-512, with the same models in transformers 5.23.
transformers runs with eager attention in float64; RMS norms, angles and softmax are float32 there
too. Prompts have 1, 7 and 40 tokens, and so have sources of encoder-decoders. Greedy search takes
20 steps. The compared values are logits, or hidden states of encoders. They may differ by 2e-4
plus 1e-4 of the value. Fed token by token, a prompt gives the same bits as all at once.

`python -m tests.golden.parity_table` writes this page. `python -m tests.golden.make_huggingface`
makes the files that it compares with, and needs torch and transformers.

| family | variant | largest difference | largest value | greedy equal |
| --- | --- | --- | --- | --- |
"""


def row(family: str, variant: str, case: Case) -> str:
    ours = model(case)
    largest = max(abs(x) for prompt in case["prompts"] for row in prompt["outputs"] for x in row)
    equal = "" if "greedy" not in case else f"{equal_tokens(case, ours)}/20"
    return f"| {family} | {variant} | {difference(case, ours)[0]:.1e} | {largest:.1f} | {equal} |\n"


def equal_tokens(case: Case, ours: object) -> int:
    pairs = zip(greedy(case, ours), case["greedy"]["tokens"], strict=True)
    return sum(a == b for a, b in pairs)


if __name__ == "__main__":
    rows = [row(name, *item) for name in FAMILIES for item in cases(name).items()]
    PAGE.write_text(INTRODUCTION + "".join(rows), encoding="utf-8")
