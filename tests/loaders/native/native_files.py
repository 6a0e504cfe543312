"""Writes a native folder and an .npz file with a native config, without attnengine's writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.loaders.arrays import Arrays, random_arrays
from tests.loaders.files.safetensors_files import safetensors_bytes


def language_model() -> tuple[dict[str, Any], Arrays, dict[str, list[str]]]:
    """Config, weights and vocabulary of an Elman language model."""
    vocab, embedding, hidden = 5, 3, 4
    config = {
        "architecture": "rnn_lm",
        "tokenizer": "characters",
        "bos_token_id": None,
        "eos_token_id": [3, 4],
        "pad_token_id": None,
        "unk_token_id": 0,
        "vocab_size": vocab,
        "embedding_size": embedding,
        "hidden_size": hidden,
        "num_layers": 1,
        "cell": "elman",
        "nonlinearity": "tanh",
        "tied_output": False,
        "max_positions": None,
    }
    shapes = {
        "embedding.weight": (vocab, embedding),
        "rnn.weight_ih_l0": (hidden, embedding),
        "rnn.weight_hh_l0": (hidden, hidden),
        "output.weight": (vocab, hidden),
    }
    return config, random_arrays(shapes), {"vocabulary": ["<unk>", "a", "\n", "é", "</s>"]}


def write_native(folder: Path) -> Path:
    """Write a native folder without attnengine's writer."""
    config, arrays, vocabularies = language_model()
    folder.mkdir(exist_ok=True)
    header, data = {}, b""
    for name, array in arrays.items():
        offsets = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": offsets}
        data += array.tobytes()
    (folder / "model.safetensors").write_bytes(safetensors_bytes(header, data))
    full = {"format": "attnengine", "format_version": 1, **config}
    (folder / "config.json").write_text(json.dumps(full), encoding="utf-8")
    tokens = json.dumps(vocabularies["vocabulary"])
    (folder / "vocabulary.json").write_text(tokens, encoding="utf-8")
    return folder


def write_npz(folder: Path, packed: bool = False) -> Path:
    """Write weights with native names and a native config into a NumPy archive."""
    write_native(folder)
    (folder / "model.safetensors").unlink()
    save = np.savez_compressed if packed else np.savez
    save(folder / "model.npz", **language_model()[1])
    return folder / "model.npz"
