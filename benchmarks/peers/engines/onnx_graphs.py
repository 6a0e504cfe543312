"""Graphs for ONNX Runtime, written with onnx.helper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]
Shapes = Mapping[str, list[int | str]]
IR_VERSION, OPSET = 9, 17


def save(
    path: Path,
    nodes: list[Any],
    inputs: Shapes,
    outputs: Shapes,
    weights: Mapping[str, Array],
    integers: tuple[str, ...] = (),
) -> None:
    """Write a graph; ``integers`` names the int64 inputs and outputs, the others are float32."""

    def info(name: str, shape: list[int | str]) -> Any:
        kind = TensorProto.INT64 if name in integers else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        nodes,
        "graph",
        [info(*item) for item in inputs.items()],
        [info(*item) for item in outputs.items()],
        [numpy_helper.from_array(weight, name) for name, weight in weights.items()],
    )
    sets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=sets)
    model.ir_version = IR_VERSION
    onnx.save(model, str(path))


def gates_in_order(weight: Array) -> Array:
    """Reorder gates from PyTorch's i, f, g, o (input, forget, cell, output) to ONNX' i, o, f, g."""
    i, f, g, o = np.split(weight, 4)
    return np.concatenate([i, o, f, g])


def lstm_weights(weights: Mapping[str, Array], layer: int) -> dict[str, Array]:
    """ONNX' W, R and B of a layer with one direction."""
    reordered = {
        name: gates_in_order(weights[f"rnn.{name}_l{layer}"])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    biases = np.concatenate([reordered["bias_ih"], reordered["bias_hh"]])
    return {
        f"W{layer}": reordered["weight_ih"][None],
        f"R{layer}": reordered["weight_hh"][None],
        f"B{layer}": biases[None],
    }


def write_language_model(path: Path, config: dict[str, Any], weights: dict[str, Array]) -> None:
    """Write a graph: tokens (length, rows) and states of the layers -> logits and new states."""
    hidden, layers = config["hidden_size"], config["num_layers"]
    table = weights["embedding.weight"]
    held = {"table": table, "output": table.T.copy(), "bias": weights["output.bias"]}
    held["one"] = np.array([1])
    nodes = [helper.make_node("Gather", ["table", "tokens"], ["x0"])]
    inputs: dict[str, list[int | str]] = {"tokens": ["length", "rows"]}
    outputs: dict[str, list[int | str]] = {"logits": ["length", "rows", config["vocab_size"]]}
    for k in range(layers):
        held |= lstm_weights(weights, k)
        read = [f"x{k}", f"W{k}", f"R{k}", f"B{k}", "", f"h{k}", f"c{k}"]
        written = [f"y{k}", f"new_h{k}", f"new_c{k}"]
        nodes.append(helper.make_node("LSTM", read, written, hidden_size=hidden))
        nodes.append(helper.make_node("Squeeze", [f"y{k}", "one"], [f"x{k + 1}"]))
        inputs |= {f"{part}{k}": [1, "rows", hidden] for part in "hc"}
        outputs |= {f"new_{part}{k}": [1, "rows", hidden] for part in "hc"}
    nodes.append(helper.make_node("MatMul", [f"x{layers}", "output"], ["products"]))
    nodes.append(helper.make_node("Add", ["products", "bias"], ["logits"]))
    save(path, nodes, inputs, outputs, held, integers=("tokens",))
