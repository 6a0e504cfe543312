"""The operators of PyTorch."""

from __future__ import annotations

import warnings
from typing import Any

from benchmarks.peers.engines.base import Setup, UnsupportedError
from benchmarks.peers.engines.operator_calls import (
    Call,
    Floats,
    Make,
    OperatorEngine,
    Product,
    normal,
)
from benchmarks.peers.models import Model


class TorchOperators(OperatorEngine):
    """PyTorch. Mode packed has the weight in oneDNN's layout; int8 is dynamic quantisation."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        import torch

        self.torch: Any = torch
        warnings.simplefilter("ignore")
        torch.set_num_threads(setup.threads)
        torch.set_grad_enabled(False)

    @staticmethod
    def variants(model: Model) -> list[str]:
        return ["float32", "float32-packed", "int8"] if model.family == "operators" else []

    def makers(self) -> dict[str, Make]:
        if self.setup.mode == "packed":
            return {"linear": self.linear}
        products: dict[str, Make] = {"linear": self.linear, "lstm": self.lstm, "gru": self.gru}
        if self.setup.precision == "int8":
            return products
        others: dict[str, Make] = {"attention": self.attention, "top_k": self.top_k}
        return products | others | {"layer_norm": self.layer_norm}

    def normal(self, *shape: int) -> Any:
        return self.torch.from_numpy(normal(*shape))

    def module(self, kind: str, size: int, out: int) -> Any:
        module = getattr(self.torch.nn, kind)(size, out)
        if self.setup.precision == "int8":
            nn = self.torch.nn
            quantize = self.torch.ao.quantization.quantize_dynamic
            module = quantize(nn.Sequential(module), {nn.Linear, nn.LSTM, nn.GRU})[0]
        return module

    def product(self, out: int, size: int) -> Product:
        module = self.module("Linear", size, out)

        def call_of(x: Floats) -> Call:
            rows = self.torch.from_numpy(x)
            return lambda: module(rows)

        return self.packed(out, size) if self.setup.mode == "packed" else call_of

    def packed(self, out: int, size: int) -> Product:
        """A product with a weight in the layout that oneDNN chooses for the number of rows."""
        calls = getattr(self.torch.ops, "mkldnn", None)
        if calls is None or not self.torch.backends.mkldnn.is_available():
            raise UnsupportedError("this build of torch has no oneDNN")
        weight, bias = self.normal(out, size), self.normal(out)

        def call_of(x: Floats) -> Call:
            rows, ordered = self.torch.from_numpy(x), calls._reorder_linear_weight(weight, len(x))
            return lambda: calls._linear_pointwise(rows, ordered, bias, "none", [], "")

        return call_of

    def attention(
        self, batch: int, heads: int, rows: int, positions: int, head_dim: int, causal: int
    ) -> Call:
        attend = self.torch.nn.functional.scaled_dot_product_attention
        query = self.normal(batch, heads, rows, head_dim)
        keys = self.normal(batch, heads, positions, head_dim)
        values = keys.clone()
        return lambda: attend(query, keys, values, is_causal=bool(causal))

    def top_k(self, rows: int, vocab_size: int, k: int) -> Call:
        logits = self.normal(rows, vocab_size)
        return lambda: self.torch.log_softmax(logits, -1).topk(k, -1)

    def layer_norm(self, rows: int, size: int) -> Call:
        norm, x = self.torch.nn.functional.layer_norm, self.normal(rows, size)
        weight, bias = self.normal(size), self.normal(size)
        return lambda: norm(x, (size,), weight, bias)

    def lstm(self, **shape: int) -> Call:
        return self.layer("LSTM", 2, **shape)

    def gru(self, **shape: int) -> Call:
        return self.layer("GRU", 1, **shape)

    def layer(
        self, kind: str, states: int, length: int, batch: int, size: int, hidden: int
    ) -> Call:
        module, x = self.module(kind, size, hidden), self.normal(length, batch, size)
        zeros = [self.torch.zeros(1, batch, hidden)] * states
        start = zeros[0] if states == 1 else tuple(zeros)
        return lambda: module(x, start)
