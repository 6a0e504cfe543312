"""Writes small models of OpenNMT-py: NumPy archives, and PyTorch checkpoints in both layouts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.loaders.arrays import Arrays, random_arrays
from tests.loaders.files.torch_files import Call, Name, tensor_call, write_legacy, write_zip


@dataclass(frozen=True)
class OpenNMT:
    """A model of OpenNMT-py: weights with the toolkit's names, options and vocabularies."""

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
        # the shape in the first versions
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


def opennmt_content(model: OpenNMT, legacy: bool) -> tuple[dict[str, Any], Arrays]:
    """A checkpoint in the layout of OpenNMT-py, and its storages."""
    storages = {str(100 + i): array for i, array in enumerate(model.weights.values())}
    calls = {
        name: tensor_call(array, key, "FloatStorage", legacy)
        for (name, array), key in zip(model.weights.items(), storages, strict=True)
    }
    generator = {k.removeprefix("generator."): v for k, v in calls.items() if "generator" in k}
    vocab = [
        (side, Call(Name("torchtext.vocab", "Vocab"), (), {"itos": tokens, "stoi": ids(tokens)}))
        for side, tokens in (("src", model.source), ("tgt", model.target))
    ]
    content: dict[str, Any] = {
        "model": {k: v for k, v in calls.items() if "generator" not in k},
        "generator": generator,
        "vocab": vocab,
        "opt": Call(Name("argparse", "Namespace"), (), model.options),
        "epoch": 3,
        "optim": Call(Name("onmt.Optim", "Optim"), (), {"lr": 0.1}),
    }
    return content, storages


def write_opennmt_pt(folder: Path, model: OpenNMT | None = None, legacy: bool = True) -> Path:
    folder.mkdir(exist_ok=True)
    content, storages = opennmt_content(model or opennmt(), legacy)
    return (write_legacy if legacy else write_zip)(folder / "model.pt", content, storages)
