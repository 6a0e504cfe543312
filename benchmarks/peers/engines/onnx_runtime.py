"""ONNX Runtime: the LSTM language model as a graph of one step, and BERT exported and fused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines import huggingface
from benchmarks.peers.engines.base import Engine, Ids, Setup
from benchmarks.peers.engines.numpy_beam_search import Floats, Integers, State, beam_search, greedy
from benchmarks.peers.models import WEIGHTS, Model, build_once

SCORED_STEPS = 12  # steps of a batch with their logits in memory at once


def export_bert(setup: Setup, path: Path) -> None:
    import torch

    class Export(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = huggingface.load(setup, attn_implementation="eager")

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask)[0]

    ids = torch.ones(2, 16, dtype=torch.long)
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(
        Export(),
        (ids, ids),
        str(path),
        input_names=names,
        output_names=["states"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "states"]},
        opset_version=17,
        dynamo=False,
    )


def fuse_bert(setup: Setup, exported: Path, path: Path) -> None:
    from onnxruntime.transformers import optimizer

    config = setup.model.config
    heads, size = config["num_attention_heads"], config["hidden_size"]
    model = optimizer.optimize_model(
        str(exported), model_type="bert", num_heads=heads, hidden_size=size, opt_level=0
    )
    model.save_model_to_file(str(path))


def write(setup: Setup, path: Path) -> None:
    """Write the float32 graph."""
    if setup.model.family == "rnn_lm":
        from safetensors.numpy import load_file

        from benchmarks.peers.engines.onnx_graphs import write_language_model

        write_language_model(path, setup.model.config, load_file(setup.folder / WEIGHTS))
        return
    exported = path.with_suffix(".exported")
    export_bert(setup, exported)
    fuse_bert(setup, exported, path)
    exported.unlink()


def quantize(source: Path, path: Path) -> None:
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    options = {"DefaultTensorType": TensorProto.FLOAT}  # shapes of fused operators are unknown
    quantize_dynamic(str(source), str(path), weight_type=QuantType.QInt8, extra_options=options)


def graph_file(setup: Setup) -> Path:
    stem = setup.cache / "onnx" / setup.model.name
    full = build_once(Path(f"{stem}-float32.onnx"), lambda part: write(setup, part))
    if setup.precision == "float32":
        return full
    return build_once(Path(f"{stem}-int8.onnx"), lambda part: quantize(full, part))


def session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxRuntime(Engine):
    """ONNX Runtime; int8 is its dynamic quantisation."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.config = setup.model.config
        self.session = session(graph_file(setup), setup.threads)

    @staticmethod
    def variants(model: Model) -> list[str]:
        return ["float32", "int8"] if model.family in ("rnn_lm", "bert") else []

    @staticmethod
    def prepare(setup: Setup) -> None:
        graph_file(setup)

    def _steps(self, tokens: Integers, state: State) -> tuple[Floats, State]:
        """Tokens (length, rows), states (rows, hidden) -> logits (length, rows, vocab_size)."""
        names = [f"{part}{k}" for k in range(self.config["num_layers"]) for part in "hc"]
        given = {name: part[None] for name, part in zip(names, state, strict=True)}
        logits, *new = self.session.run(None, {"tokens": tokens, **given})
        return logits, [part[0] for part in new]

    def _step(self, tokens: Integers, state: State) -> tuple[Floats, State]:
        logits, new = self._steps(tokens[None], state)
        return logits[0], new

    def _zeros(self, rows: int) -> State:
        zeros = np.zeros((rows, self.config["hidden_size"]), np.float32)
        return [zeros] * (2 * self.config["num_layers"])

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        state, end = self._zeros(1), self.config["eos_token_id"]
        if len(prompt) > 1:
            _, state = self._steps(np.array(prompt[:-1])[:, None], state)
        if beam_size == 1:
            return len(greedy(self._step, state, prompt[-1], end, new_tokens))
        found = beam_search(self._step, state, 1, beam_size, prompt[-1], end, new_tokens)
        return len(found[0])

    def score(self, sequences: Sequence[Ids]) -> int:
        ids = np.array(sequences).T.copy()  # (length, rows)
        state, total = self._zeros(ids.shape[1]), np.zeros(ids.shape[1])
        for first in range(0, len(ids) - 1, SCORED_STEPS):
            read, scored = ids[first:-1][:SCORED_STEPS], ids[first + 1 :][:SCORED_STEPS]
            logits, state = self._steps(read, state)
            logits -= logits.max(-1, keepdims=True)
            chosen = np.take_along_axis(logits, scored[..., None], -1)[..., 0]
            total += (chosen - np.log(np.exp(logits).sum(-1))).sum(0)
        return int(ids.shape[1] * (len(ids) - 1))

    def encode(self, batch: Sequence[Ids]) -> int:
        ids = np.array(batch)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        return len(self.session.run(None, given)[0])
