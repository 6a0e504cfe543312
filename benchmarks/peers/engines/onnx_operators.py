"""The operators of ONNX Runtime, one graph each."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.engines.onnx_runtime import quantize, session
from benchmarks.peers.engines.operator_calls import (
    SMALL,
    Call,
    Make,
    OperatorEngine,
    Product,
    normal,
)
from benchmarks.peers.models import Model

Shape = list[int | str]


class OnnxOperators(OperatorEngine):
    """ONNX Runtime; int8 is its dynamic quantisation of products."""

    @staticmethod
    def variants(model: Model) -> list[str]:
        return ["float32", "int8"] if model.family == "operators" else []

    def makers(self) -> dict[str, Make]:
        products: dict[str, Make] = {"linear": self.linear, "lstm": self.lstm}
        if self.setup.precision == "int8":
            return products
        others: dict[str, Make] = {"attention": self.attention, "top_k": self.top_k}
        return products | others | {"layer_norm": self.layer_norm, "gru": self.gru}

    def load(
        self,
        nodes: list[Any],
        inputs: Mapping[str, Shape],
        weights: Mapping[str, NDArray[Any]],
        outputs: tuple[str, ...] = ("y",),
    ) -> Any:
        """Write a graph and open a session with it."""
        from benchmarks.peers.engines.onnx_graphs import save

        unknown: Any = dict.fromkeys(outputs)  # unknown shapes
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph.onnx"
            save(path, nodes, inputs, unknown, weights, integers=("tokens",))
            if self.setup.precision == "int8":
                quantize(path, path := path.with_name("int8.onnx"))
            return session(path, self.setup.threads)

    def run(
        self,
        nodes: list[Any],
        given: Mapping[str, NDArray[Any]],
        weights: Mapping[str, NDArray[Any]],
        outputs: tuple[str, ...] = ("y",),
    ) -> Call:
        """A function that runs the graph on the given inputs."""
        shapes: Any = {name: list(array.shape) for name, array in given.items()}
        loaded = self.load(nodes, shapes, weights, outputs)
        return lambda: loaded.run(None, given)

    def product(self, out: int, size: int) -> Product:
        from onnx.helper import make_node

        nodes = [make_node("MatMul", ["x", "weight"], ["products"])]
        nodes.append(make_node("Add", ["products", "bias"], ["y"]))
        weights = {"weight": normal(size, out), "bias": normal(out)}
        loaded = self.load(nodes, {"x": ["rows", size]}, weights)
        return lambda x: lambda: loaded.run(None, {"x": x})

    def attention(
        self, batch: int, heads: int, rows: int, positions: int, head_dim: int, causal: int
    ) -> Call:
        from onnx.helper import make_node

        options: Any = {"domain": "com.microsoft", "num_heads": heads, "unidirectional": causal}
        nodes = [make_node("MultiHeadAttention", ["query", "key", "value"], ["y"], **options)]
        keys = normal(batch, positions, heads * head_dim)
        given = {"query": normal(batch, rows, heads * head_dim), "key": keys, "value": keys.copy()}
        return self.run(nodes, given, {})

    def top_k(self, rows: int, vocab_size: int, k: int) -> Call:
        from onnx.helper import make_node

        nodes = [make_node("LogSoftmax", ["x"], ["log_probs"], axis=-1)]
        nodes.append(make_node("TopK", ["log_probs", "k"], ["y", "tokens"], axis=-1))
        given = {"x": normal(rows, vocab_size)}
        return self.run(nodes, given, {"k": np.array([k])}, ("y", "tokens"))

    def layer_norm(self, rows: int, size: int) -> Call:
        from onnx.helper import make_node

        nodes = [make_node("LayerNormalization", ["x", "weight", "bias"], ["y"])]
        weights = {"weight": normal(size), "bias": normal(size)}
        return self.run(nodes, {"x": normal(rows, size)}, weights)

    def lstm(self, **shape: int) -> Call:
        return self.layer("LSTM", 4, ("h", "c"), {}, **shape)

    def gru(self, **shape: int) -> Call:
        return self.layer("GRU", 3, ("h",), {"linear_before_reset": 1}, **shape)

    def layer(
        self,
        kind: str,
        gates: int,
        states: tuple[str, ...],
        options: dict[str, Any],
        length: int,
        batch: int,
        size: int,
        hidden: int,
    ) -> Call:
        from onnx.helper import make_node

        weights = {
            "W": SMALL * normal(1, gates * hidden, size),
            "R": SMALL * normal(1, gates * hidden, hidden),
            "B": SMALL * normal(1, 2 * gates * hidden),
        }
        given = {"x": normal(length, batch, size)} | {
            name: normal(1, batch, hidden) for name in states
        }
        outputs = ("y", *(f"new_{name}" for name in states))
        read = ["x", *weights, "", *states]
        node = make_node(kind, read, outputs, hidden_size=hidden, **options)
        return self.run([node], given, weights, outputs)
