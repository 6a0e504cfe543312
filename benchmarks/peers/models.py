"""The measured models: published shapes with random weights, the same for every engine.

The cache holds each model in one folder that transformers and attnengine read. An RNN is a native
folder of attnengine with the weights under PyTorch's names.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

import attnengine as ae
from attnengine.reference.random_weights import SHAPES, random_weights
from attnengine.reference.transformer_shapes import Shapes, dense_shapes, norm_shapes, prefixed

SEED = 20240
SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Model:
    """A name and a config: transformers' if it has a model_type, else attnengine's."""

    name: str
    config: dict[str, Any]

    @property
    def family(self) -> str:
        """The key by which engines select code: "marian", ..., "rnn_seq2seq" or "operators"."""
        return str(self.config.get("model_type") or self.config["architecture"])

    @property
    def vocab_size(self) -> int:
        """The number of tokens of the output layer."""
        return int(self.config.get("vocab_size") or self.config["target_vocab_size"])

    @property
    def canonical(self) -> dict[str, Any]:
        """The config in the form that ``attnengine.reference`` reads."""
        sizes = {f"{side}_vocab_size": self.vocab_size for side in ("source", "target")}
        return {"architecture": self.family, **sizes, **self.config}

    def shapes(self) -> Shapes:
        """name -> shape of every weight."""
        shapes = bert_shapes if self.family == "bert" else SHAPES[self.family]
        return shapes(self.canonical)


def bert_shapes(config: dict[str, Any]) -> Shapes:
    """Weights of transformers' BertModel, without a pooler."""
    size, wide = config["hidden_size"], config["intermediate_size"]
    tables = {"word": "vocab_size", "position": "max_position_embeddings"}
    shapes = norm_shapes("embeddings.LayerNorm", size)
    for kind, key in {**tables, "token_type": "type_vocab_size"}.items():
        shapes[f"embeddings.{kind}_embeddings.weight"] = (config[key], size)
    layer = Shapes()
    for name in ("self.query", "self.key", "self.value", "output.dense"):
        layer |= dense_shapes(f"attention.{name}", size, size)
    layer |= dense_shapes("intermediate.dense", wide, size)
    layer |= dense_shapes("output.dense", size, wide)
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        layer |= norm_shapes(name, size)
    for i in range(config["num_hidden_layers"]):
        shapes |= prefixed(f"encoder.layer.{i}.", layer)
    return shapes


def weights_of(model: Model) -> dict[str, NDArray[np.float32]]:
    """Random weights, biases too, so that no engine gains from zeros."""
    if model.family != "bert":
        weights = random_weights(model.canonical, SEED)
        weights.pop("decoder.attention.query.bias", None)  # neither Bahdanau nor Luong has it
        return weights
    rng = np.random.default_rng(SEED)
    return {
        name: (0.02 * rng.standard_normal(shape) + ("LayerNorm.weight" in name)).astype(np.float32)
        for name, shape in model.shapes().items()
    }


def folder(model: Model, cache: Path) -> Path:
    """The folder of the model; the first call writes it."""
    return build_once(cache / "models" / model.name, lambda path: write(model, path))


def write(model: Model, path: Path) -> None:
    """Write config.json and model.safetensors."""
    weights = weights_of(model)
    if "model_type" not in model.config:
        ae.save(path, model.config, weights, {})
        return
    path.mkdir(parents=True)
    save_file(weights, path / WEIGHTS, {"format": "pt"})
    (path / "config.json").write_text(json.dumps(model.config, indent=2), encoding="utf-8")


def build_once(path: Path, build: Callable[[Path], object]) -> Path:
    """Write a file or folder with ``build`` unless it exists; a rename makes it appear whole."""
    if path.exists():
        return path
    part = path.with_name(f"{path.name}.part")
    if part.is_dir():
        shutil.rmtree(part)
    part.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    build(part)
    return part.rename(path)
