"""Continues a text by greedy search, with a beam, by sampling, and as a stream.

The argument is the path of a language model. Without it the script makes a toy RNN from the
sentences below: its hidden state is the last word, and its output layer holds counts of word
pairs.
"""

from __future__ import annotations

import sys
import tempfile

import numpy as np

import attnengine as ae

TEXT = """the cat sat on the mat . the dog sat on the rug .
the cat saw the dog . the dog saw the cat on the mat ."""


def make_model(folder: str) -> None:
    words = sorted(set(TEXT.split()))
    size, ids = len(words), {word: i for i, word in enumerate(words)}
    counts = np.full((size, size), 0.01)
    text = [ids[word] for word in TEXT.split()]
    np.add.at(counts, (text[1:], text[:-1]), 1)  # rows: next word, columns: last word
    config = {
        "architecture": "rnn_lm",
        "tokenizer": "words",
        "bos_token_id": ids["."],
        "eos_token_id": ids["."],
        "pad_token_id": None,
        "unk_token_id": None,
        "vocab_size": size,
        "embedding_size": size,
        "hidden_size": size,
        "num_layers": 1,
        "cell": "elman",
        "nonlinearity": "relu",
        "tied_output": False,
        "max_positions": None,
    }
    weights = {
        "embedding.weight": np.eye(size),
        "rnn.weight_ih_l0": np.eye(size),
        "rnn.weight_hh_l0": np.zeros((size, size)),
        "output.weight": np.log(counts / counts.sum(axis=0)),
    }
    ae.save(folder, config, weights, {"vocabulary": words})


def main(path: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            make_model(folder)
        model = ae.load_language_model(path or folder)
    prompt = "the cat" if path is None else "Once upon a time"
    print("greedy: ", model.generate(prompt, max_new_tokens=12).text)
    found = model.generate(prompt, max_new_tokens=12, beam_size=4, num_hypotheses=3)
    for hypothesis in found.hypotheses:
        print(f"beam:    {hypothesis.text}  (score {hypothesis.score:.3f})")
    for seed in range(3):
        print(
            "sampled:", model.generate(prompt, max_new_tokens=12, temperature=0.9, seed=seed).text
        )
    print("stream:  ", end="")
    for piece in model.stream(prompt, max_new_tokens=12):
        print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
