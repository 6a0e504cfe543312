"""Writes a language model from NumPy arrays as a folder, loads it, checks it and uses it.

The weights are hand-made, so that the model is easy to follow. An Elman cell remembers the last
letter, and the output layer gives its successor in the alphabet. docs/export.md explains every key
and has scripts for PyTorch.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import attnengine as ae

TOKENS = ["<end>", *"abcdefghijklmnopqrstuvwxyz"]
SIZE = len(TOKENS)

CONFIG = {
    "architecture": "rnn_lm",
    "tokenizer": "characters",
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": None,
    "unk_token_id": None,
    "vocab_size": SIZE,
    "embedding_size": SIZE,
    "hidden_size": SIZE,
    "num_layers": 1,
    "cell": "elman",
    "nonlinearity": "tanh",
    "tied_output": False,
    "max_positions": None,
}


def weights() -> dict[str, np.ndarray]:
    """Weights with PyTorch's names and shapes (output, input)."""
    successor = np.roll(np.eye(SIZE), 1, axis=0)  # row of b, column of a; <end> follows z
    return {
        "embedding.weight": np.eye(SIZE),
        "rnn.weight_ih_l0": np.eye(SIZE),
        "rnn.weight_hh_l0": 0.1 * np.eye(SIZE),
        "output.weight": 10 * successor,
    }


def logits_by_hand(ids: list[int]) -> np.ndarray:
    """The logits that the model should give: (tokens, vocab_size)."""
    w = weights()
    hidden, rows = np.zeros(SIZE), []
    for token in ids:
        x = w["embedding.weight"][token]
        hidden = np.tanh(w["rnn.weight_ih_l0"] @ x + w["rnn.weight_hh_l0"] @ hidden)
        rows.append(w["output.weight"] @ hidden)
    return np.stack(rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alphabet"
        ae.save(path, CONFIG, weights(), {"vocabulary": TOKENS})
        model = ae.load(path)
    assert isinstance(model, ae.LanguageModel)
    ids = [TOKENS.index(letter) for letter in "abc"]
    np.testing.assert_allclose(model.logits(ids), logits_by_hand(ids), atol=1e-5)
    print(model)
    print("after 'stu' comes", model.generate("stu").text)


if __name__ == "__main__":
    main()
