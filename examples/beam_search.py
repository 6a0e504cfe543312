"""Beam search over a table of probabilities, without a model.

Greedy search takes "the", the likelier first word. A beam of two finds the more probable sentence.
The same loop drives a model in any framework, which must reorder its state by `search.parents`.
"""

from __future__ import annotations

import numpy as np

import attnengine as ae

WORDS = ["<end>", "<begin>", "the", "a", "dog", "cat"]
TABLE = {  # beginning -> probabilities of the next word
    (): {"the": 0.6, "a": 0.4},
    ("the",): {"dog": 0.5, "cat": 0.5},
    ("a",): {"dog": 0.95, "cat": 0.05},
}


def logits(beginning: tuple[str, ...]) -> np.ndarray:
    """Logarithms of probabilities (vocab_size,). Log-softmax does not change them."""
    row = np.full(len(WORDS), -np.inf, np.float32)
    for word, probability in TABLE.get(beginning, {"<end>": 1.0}).items():
        row[WORDS.index(word)] = np.log(probability)
    return row


def decode(beam_size: int) -> ae.BeamSearch:
    search = ae.BeamSearch(
        beam_size=beam_size,
        start_token=WORDS.index("<begin>"),
        end_tokens=[WORDS.index("<end>")],
        max_new_tokens=5,
    )
    live: list[tuple[str, ...]] = [()]  # the words of each live hypothesis
    while not search.done:
        search.advance(np.stack([logits(beginning) for beginning in live]))
        pairs = zip(search.parents, search.tokens, strict=True)
        live = [(*live[parent], WORDS[token]) for parent, token in pairs]
    return search


def main() -> None:
    for beam_size in (1, 2):
        search = decode(beam_size)
        print(f"beam of {beam_size}")
        for hypothesis in search.hypotheses:
            words = " ".join(WORDS[token] for token in hypothesis.ids)
            print(f"  probability {np.exp(hypothesis.log_prob):.2f}  {words}")
    print("all that was kept, each below its parent:")
    print_below(0, search, indent="  ")


def print_below(parent: int, search: ae.BeamSearch, indent: str) -> None:
    """Print the nodes of the tree that continue `parent`; node 0 is the root."""
    tree = search.tree
    for node in np.flatnonzero(tree.parents == parent):
        print(f"{indent}{WORDS[tree.ids[node]]} ({np.exp(tree.log_probs[node]):.2f})")
        print_below(int(node), search, indent + "  ")


if __name__ == "__main__":
    main()
