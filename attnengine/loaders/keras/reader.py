"""Reads a Keras model in HDF5: layers by model_config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.files import hdf5
from attnengine.loaders.files.damage import short
from attnengine.loaders.files.text import CONFIG_LIMIT
from attnengine.loaders.keras import cells, names, textgenrnn
from attnengine.loaders.shared.derived import transposed
from attnengine.loaders.shared.options import Options
from attnengine.loaders.shared.renaming import enter, matrix_shape


def read(path: Path) -> Checkpoint:
    """Read a model; `Unsupported` names the layer or option that attnengine lacks."""
    contents = hdf5.read(path)
    if "@model_config" in contents.texts:
        return _Model(path, contents).checkpoint()
    if textgenrnn.matches(contents):
        return textgenrnn.read(path, contents)
    raise FormatError(
        f"{path} has no model_config, expected a file of model.save() or textgenrnn's weights"
    )


@dataclass(frozen=True)
class _Layer:
    """A layer of model_config; for Bidirectional and TimeDistributed the wrapped layer."""

    kind: str
    name: str  # name of its group of weights
    options: Options
    bidirectional: bool = False

    @classmethod
    def of(cls, path: Path, value: object) -> _Layer:
        """Read the entry of a layer."""
        entry = Options.of(f"{path}: a layer", value)
        options, kind = entry.under("config"), entry.text("class_name")
        name = options.text("name", "")
        if kind not in names.WRAPPERS:
            return cls(kind, name, options)
        options.only({"merge_mode": ("concat", "None")})
        inner = cls.of(path, options.values.get("layer"))
        return cls(inner.kind, name, inner.options, names.WRAPPERS[kind])


class _Model:
    """A Sequential model: an Embedding or none, recurrent layers, a Dense layer."""

    def __init__(self, path: Path, contents: hdf5.Contents) -> None:
        self.path = path
        self.contents = contents
        self.window, layers = _layers(path, contents.texts["@model_config"])
        self.embedding = layers.pop(0) if layers and layers[0].kind == "Embedding" else None
        self.cells = [layer for layer in layers if layer.kind in names.CELLS]
        self.output = layers[len(self.cells) :]  # Dense and optionally Activation
        kinds = [layer.kind for layer in layers]
        expected = [*(layer.kind for layer in self.cells), "Dense"]
        if not self.cells or kinds not in (expected, [*expected, "Activation"]):
            raise Unsupported(
                f"{path}: the layers are {', '.join(kinds)[:300]}, expected an Embedding or none, "
                "recurrent layers and a Dense layer"
            )

    def checkpoint(self) -> Checkpoint:
        """Return the model with canonical names."""
        tensors = self.tensors()
        vocab_size, embedding_size = matrix_shape(self.path, tensors, "embedding.weight")
        config = {
            "tokenizer": "none",
            **dict.fromkeys(schema.SPECIAL),
            "vocab_size": vocab_size,
            "embedding_size": embedding_size,
            "hidden_size": matrix_shape(self.path, tensors, "rnn.weight_hh_l0")[1],
            "num_layers": len(self.cells),
            "max_positions": None,
            **self.cell_options(),
            **self.architecture(),
        }
        return schema.checked(self.path, config, tensors, {})

    def architecture(self) -> dict[str, Any]:
        """Return the architecture's keys: outputs at every position, or after a window."""
        self.check_output()
        *below, top = [layer.options.flag("return_sequences", False) for layer in self.cells]
        directions = [layer.bidirectional for layer in self.cells]
        if not all(below) or any(directions) != all(directions) or (top and any(directions)):
            raise Unsupported(
                f"{self.path}: return_sequences is {[*below, top]} and Bidirectional {directions}, "
                "which is no language model of attnengine's"
            )
        if top:
            return {"architecture": "rnn_lm", "tied_output": False}
        if self.window is None:
            raise Unsupported(f"{self.path}: the input has no length, expected that of a window")
        return {
            "architecture": "rnn_window_lm",
            "bidirectional": any(directions),
            "pooling": "last",
            "window": self.window,
            "window_padding_id": None,
        }

    def check_output(self) -> None:
        """Raise Unsupported if the output has another activation than softmax or none."""
        for layer in self.output:
            layer.options.choice("activation", dict.fromkeys(("softmax", "linear")))

    def cell_options(self) -> dict[str, Any]:
        """Return the switches of the cells, which must be equal in all layers."""
        version = self.contents.texts.get("@keras_version", "2").split(".")[0]
        meaning = names.VERSION_3 if version.isdecimal() and int(version) >= 3 else {}
        first, *others = [_cell_options(layer, meaning) for layer in self.cells]
        if any(other != first for other in others):
            raise Unsupported(f"{self.path}: the recurrent layers differ, expected equal options")
        return first

    def tensors(self) -> dict[str, Tensor]:
        """Return weights with canonical names."""
        dense = self.weights(self.output[0])
        tensors = {"output.weight": transposed(self.weight(self.output[0], "kernel"))}
        tensors |= {"output.bias": dense["bias"]} if "bias" in dense else {}
        for number, layer in enumerate(self.cells):
            cell, cudnn = names.CELLS[layer.kind]
            for direction, end in {"forward": "", "backward": "_reverse"}.items():
                if end and not layer.bidirectional:
                    continue
                weights = self.weights(layer, direction if layer.bidirectional else "")
                suffix = f"l{number}{end}"
                found = cells.cell(self.path, cell, suffix, weights, cudnn=cudnn)
                tensors |= {f"rnn.{name}": tensor for name, tensor in found.items()}
        tensors["embedding.weight"] = self.embedding_weight(tensors)
        return tensors

    def embedding_weight(self, tensors: dict[str, Tensor]) -> Tensor:
        """Return the Embedding's weight, or the unit matrix for one-hot vectors."""
        if self.embedding:
            self.embedding.options.only({"mask_zero": ("False",)})
            return self.weight(self.embedding, "embeddings")
        size = tensors["rnn.weight_ih_l0"].shape[1]
        if tensors["output.weight"].shape[:1] != (size,):
            raise Unsupported(
                f"{self.path}: the input are vectors of {size} numbers, expected ids or, one for "
                f"each of the outputs {tensors['output.weight'].shape[:1]}, one-hot vectors"
            )
        return Tensor("one-hot", (size, size), "float32", lambda: np.eye(size, dtype=np.float32))

    def weights(self, layer: _Layer, direction: str = "") -> dict[str, Tensor]:
        """Return a layer's weights by their own names, in one direction of a Bidirectional."""
        found: dict[str, Tensor] = {}
        for name, tensor in self.contents.under(f"model_weights/{layer.name}").items():
            *groups, own = name.split("/")
            if any(group.startswith(direction) for group in [*groups, ""]):
                enter(found, own.removesuffix(":0"), tensor, self.path)
        return found

    def weight(self, layer: _Layer, name: str) -> Tensor:
        """Return a weight, or raise FormatError if it is missing."""
        weights = self.weights(layer)
        if name not in weights:
            raise FormatError(f"{self.path}: layer {layer.name!r:.200} has no weight {name}")
        return weights[name]


def _layers(path: Path, text: str) -> tuple[int | None, list[_Layer]]:
    """Return the length of the input or None, and the layers that have an effect."""
    if len(text) > CONFIG_LIMIT:
        raise FormatError(f"{path}: model_config has {len(text)} characters")
    model = Options.of(f"{path}: model_config", json.loads(text))
    config = model.values.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    if model.text("class_name") != "Sequential" or not isinstance(layers, list):
        raise Unsupported(
            f"{path}: the model is {short(model.values.get('class_name'))} of {short(layers)}, "
            "expected a Sequential one with a list of layers"
        )
    found = [_Layer.of(path, value) for value in layers]
    return _window(found), [layer for layer in found if layer.kind not in names.IGNORED]


def _window(layers: list[_Layer]) -> int | None:
    """Return the length of the input from the first layer or the Embedding."""
    for layer in layers[:2]:
        for key in ("batch_shape", "batch_input_shape"):
            shape = layer.options.values.get(key)
            if isinstance(shape, list) and len(shape) > 1 and type(shape[1]) is int:
                return shape[1]
        length = layer.options.values.get("input_length")
        if type(length) is int:
            return length
    return None


def _cell_options(layer: _Layer, meaning: Mapping[str, str]) -> dict[str, Any]:
    """Return the config keys of a layer's cell."""
    cell, cudnn = names.CELLS[layer.kind]
    options = layer.options
    options.only(names.CELL_ONLY)
    activation = options.choice("activation", names.ACTIVATIONS, "tanh" if cudnn else None)
    found = {"cell": cell, "nonlinearity": meaning.get(activation, activation)}
    if cell != "elman":
        default = "sigmoid" if cudnn else None
        gate = options.choice("recurrent_activation", names.GATES, default)
        found["gate_activation"] = meaning.get(gate, gate)
    if cell == "gru":
        after = cudnn or options.flag("reset_after", False)
        found["reset"] = "after" if after else "before"
    return found
