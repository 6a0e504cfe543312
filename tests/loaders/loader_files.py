"""Writes small model files of every format that attnengine reads, without its readers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def random_arrays(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


# ---- native -----------------------------------------------------------------------------


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


def safetensors_bytes(header: str | Mapping[str, Any], data: bytes = b"", pad: int = 0) -> bytes:
    text = header if isinstance(header, str) else json.dumps(header)
    encoded = text.encode() + b" " * pad
    return struct.pack("<Q", len(encoded)) + encoded + data


def write_native(folder: Path) -> Path:
    """The folder without attnengine's own writer."""
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
    """Native names and config in an archive of NumPy's."""
    write_native(folder)
    (folder / "model.safetensors").unlink()
    save = np.savez_compressed if packed else np.savez
    save(folder / "model.npz", **language_model()[1])
    return folder / "model.npz"


# ---- OpenNMT-py -------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenNMT:
    """A model of OpenNMT-py: weights in its names, options and vocabularies."""

    weights: Arrays
    options: dict[str, Any]
    source: list[str]
    target: list[str]


def opennmt(
    *,
    cell: str = "LSTM",
    attention: str = "general",
    input_feed: int = 1,
    directions: int = 1,
    layers: int = 2,
    bridge: bool = False,
    new_names: bool = False,
) -> OpenNMT:
    source = ["<unk>", "<blank>", "a", "b", "c"]
    target = ["<unk>", "<blank>", "<s>", "</s>", "x", "y"]
    embedding, hidden, gates = 3, 4, {"LSTM": 4, "GRU": 3}[cell]
    middle = "make_embedding." if new_names else ""
    shapes: dict[str, tuple[int, ...]] = {
        f"encoder.embeddings.{middle}emb_luts.0.weight": (len(source), embedding),
        f"decoder.embeddings.{middle}emb_luts.0.weight": (len(target), embedding),
        "generator.0.weight": (len(target), hidden),
        "generator.0.bias": (len(target),),
    }
    size = hidden // directions
    for k in range(layers):
        below = embedding if k == 0 else hidden
        for suffix in ("", "_reverse")[:directions]:
            names = [f"encoder.rnn.{part}_l{k}{suffix}" for part in _PARTS]
            shapes |= _cell(names, gates, below, size)
        fed = hidden if input_feed and k == 0 else 0
        place = f"decoder.rnn.layers.{k}.{{}}" if input_feed else f"decoder.rnn.{{}}_l{k}"
        shapes |= _cell([place.format(part) for part in _PARTS], gates, below + fed, hidden)
        # as the first versions had it
        shapes[place.format("bias_ih")] = (1, gates * hidden)
    shapes |= _opennmt_attention(attention, hidden)
    for i in range((2 if cell == "LSTM" else 1) if bridge else 0):
        shapes[f"encoder.bridge.{i}.weight"] = (layers * size, layers * size)
        shapes[f"encoder.bridge.{i}.bias"] = (layers * size,)
    options = _opennmt_options(cell, attention, input_feed, directions)
    return OpenNMT(random_arrays(shapes), options, source, target)


_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _cell(names: Sequence[str], gates: int, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
    rows = gates * hidden
    return dict(zip(names, [(rows, inputs), (rows, hidden), (rows,), (rows,)], strict=True))


def _opennmt_options(cell: str, attention: str, input_feed: int, directions: int) -> dict[str, Any]:
    return {
        "model_type": "text",
        "encoder_type": "brnn" if directions == 2 else "rnn",
        "decoder_type": "rnn",
        "rnn_type": cell,
        "global_attention": attention,
        "input_feed": input_feed,
        "copy_attn": False,
        "context_gate": None,
        "dropout": 0.3,
        "gpuid": [0],
    }


def _opennmt_attention(attention: str, hidden: int) -> dict[str, tuple[int, ...]]:
    square = (hidden, hidden)
    shapes: dict[str, tuple[int, ...]] = {}
    if attention != "none":
        shapes["decoder.attn.linear_out.weight"] = (hidden, 2 * hidden)
    if attention == "general":
        shapes["decoder.attn.linear_in.weight"] = square
    if attention == "mlp":
        shapes["decoder.attn.linear_out.bias"] = (hidden,)
        shapes["decoder.attn.linear_context.weight"] = square
        shapes["decoder.attn.linear_query.weight"] = square
        shapes["decoder.attn.linear_query.bias"] = (hidden,)
        shapes["decoder.attn.v.weight"] = (1, hidden)
    return shapes


def ids(tokens: Sequence[str]) -> dict[str, int]:
    return {token: i for i, token in enumerate(tokens)}


def write_opennmt_npz(folder: Path, model: OpenNMT | None = None) -> Path:
    model = model or opennmt()
    folder.mkdir(exist_ok=True)
    vocab = {
        "src": model.source,
        "tgt": model.target,
        "src_stoi": ids(model.source),
        "tgt_stoi": ids(model.target),
    }
    config = {"vocab": vocab, "opt": model.options}
    (folder / "model.json").write_text(json.dumps(config), encoding="utf-8")
    np.savez(folder / "model.npz", **model.weights)
    return folder / "model.npz"
