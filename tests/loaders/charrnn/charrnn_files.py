"""Writes a small folder of char-rnn-tensorflow in the layout of its exporter for browsers.

Names and shapes follow the toolkit's documentation and published files.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.loaders.arrays import Arrays, random_arrays

VOCAB, UNITS = 7, 4


def charrnn_arrays(kernel: str = "weights", bias: str = "biases") -> Arrays:
    shapes: dict[str, tuple[int, ...]] = {
        "Variable": (),
        "embedding": (VOCAB, UNITS),
        "rnnlm/softmax_w": (UNITS, VOCAB),
        "rnnlm/softmax_b": (VOCAB,),
    }
    for layer in (0, 1):
        cell = f"rnnlm/multi_rnn_cell/cell_{layer}/basic_lstm_cell"
        shapes |= {f"{cell}/{kernel}": (2 * UNITS, 4 * UNITS), f"{cell}/{bias}": (4 * UNITS,)}
    return random_arrays(shapes)


def write_charrnn(folder: Path, arrays: Arrays | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {}
    for name, array in (charrnn_arrays() if arrays is None else arrays).items():
        file = name.replace("/", "_")
        (folder / file).write_bytes(array.astype("<f4").tobytes())
        manifest[name] = {"filename": file, "shape": list(array.shape)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    letters = {letter: i for i, letter in enumerate("ab \né'.")}
    (folder / "vocab.json").write_text(json.dumps(letters), encoding="utf-8")
    return folder
