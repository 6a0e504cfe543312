"""Prints the best pronunciations of English words: python translate.py attention beam search"""

from __future__ import annotations

import sys

import attnengine as ae
from attnengine import g2p


def main(words: list[str]) -> None:
    model = g2p.load_g2p()  # for a model of your own: ae.load_seq2seq(path)
    results = model.translate(words, beam_size=5, num_hypotheses=3, return_attention=True)
    for word, result in zip(words, results, strict=True):
        print(word)
        for hypothesis in result.hypotheses:
            print(f"  {hypothesis.score:7.3f}  {hypothesis.text}")
        print("  where each phoneme looked:", " ".join(looked_at(word, result.hypotheses[0])))


def looked_at(word: str, hypothesis: ae.Hypothesis) -> list[str]:
    """The letter with the largest weight for each phoneme; the last column is the end token."""
    assert hypothesis.attention is not None  # (phonemes, letters + 1)
    best = hypothesis.attention[:, : len(word)].argmax(axis=1)
    return [f"{p}<{word[i]}" for p, i in zip(hypothesis.tokens, best, strict=True)]


if __name__ == "__main__":
    main(sys.argv[1:] or ["attention", "beam", "search"])
