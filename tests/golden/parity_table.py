"""Prints how far the models of Hugging Face's families are from transformers, as Markdown.

    python -m tests.golden.parity_table

Compares with the golden files in huggingface/; needs neither torch nor transformers.
"""

from __future__ import annotations

from tests.golden.huggingface import FAMILIES, cases, greedy, logits_difference, model

HEADER = "| family | variant | largest logits difference | largest logit | greedy equal |"


def rows() -> list[str]:
    lines = []
    for family in FAMILIES:
        for variant, case in cases(family).items():
            decoder = model(case)
            difference, _ = logits_difference(case, decoder)
            largest = max(abs(x) for p in case["prompts"] for row in p["logits"] for x in row)
            same = sum(
                a == b for a, b in zip(greedy(case, decoder), case["greedy"]["tokens"], strict=True)
            )
            lines.append(f"| {family} | {variant} | {difference:.1e} | {largest:.1f} | {same}/20 |")
    return lines


if __name__ == "__main__":
    print(HEADER, "| --- | --- | --- | --- | --- |", *rows(), sep="\n")
