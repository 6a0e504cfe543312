"""Writes docs/parity.md: differences between our models and transformers, family by family.

    python -m tests.golden.parity_table [FAMILY...]

Rows of families that are named, or that the page lacks, are measured; without names all are. The
script compares with the golden files in huggingface/ and needs neither torch nor transformers.
"""

from __future__ import annotations

import argparse
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

`python -m tests.golden.parity_table FAMILY` writes the rows of a family, and without a name all.
`python -m tests.golden.make_huggingface` makes the files that it compares with. That script needs
torch and transformers.

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


def rows_of_the_page() -> dict[tuple[str, str], str]:
    """Return the rows that were measured before, by family and variant."""
    lines = PAGE.read_text(encoding="utf-8").splitlines(keepends=True)
    cells = {line: line.strip("| \n").split(" | ") for line in lines if line.startswith("| ")}
    return {(family, variant): line for line, (family, variant, *_) in cells.items()}


def main(families: list[str]) -> None:
    old = rows_of_the_page()
    rows = [
        row(name, variant, case)
        if name in (families or FAMILIES) or (name, variant) not in old
        else old[name, variant]
        for name in FAMILIES
        for variant, case in cases(name).items()
    ]
    PAGE.write_text(INTRODUCTION + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*", metavar="FAMILY")
    families = parser.parse_args().families
    if unknown := set(families) - set(FAMILIES):
        parser.error(f"no family is called {', '.join(sorted(unknown))}")
    main(families)
