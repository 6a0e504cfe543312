"""The operators of attnengine."""

from __future__ import annotations

from typing import Any

import numpy as np

from attnengine import _core, kernels
from benchmarks.peers.engines.operator_calls import (
    SMALL,
    Call,
    Make,
    OperatorEngine,
    Product,
    normal,
)
from benchmarks.peers.engines.ours import PRECISIONS
from benchmarks.peers.models import Model


class AttnOperators(OperatorEngine):
    """Kernels and layers with packed weights. Only products have other precisions than float32."""

    @staticmethod
    def variants(model: Model) -> list[str]:
        return list(PRECISIONS) if model.family == "operators" else []

    def makers(self) -> dict[str, Make]:
        products: dict[str, Make] = {"linear": self.linear, "lstm": self.lstm, "gru": self.gru}
        if self.setup.precision != "float32":
            return products
        others: dict[str, Make] = {"attention": self.attention, "top_k": self.top_k}
        return products | others | {"layer_norm": self.layer_norm}

    @property
    def threads(self) -> dict[str, Any]:
        return {"num_threads": self.setup.threads}

    def product(self, out: int, size: int) -> Product:
        weight, bias = normal(out, size), normal(out)
        packed = kernels.PackedLinear(weight, bias, precision=self.setup.precision)
        return lambda x: lambda: packed(x, **self.threads)

    def attention(
        self, batch: int, heads: int, rows: int, positions: int, head_dim: int, causal: int
    ) -> Call:
        """Attention over keys and values that are stored once in pages, as in a model."""
        query = normal(batch, rows, heads, head_dim)
        keys = normal(batch, positions, heads, head_dim)
        options: dict[str, Any] = {"need_weights": False, **self.threads}
        lengths = np.arange(1, rows + 1) if causal else None
        pages = [kernels.KeyValuePages(past, past) for past in keys]
        return lambda: [
            past.attend(one, lengths, **options) for one, past in zip(query, pages, strict=True)
        ]

    def top_k(self, rows: int, vocab_size: int, k: int) -> Call:
        logits = normal(rows, vocab_size)
        return lambda: kernels.log_softmax_top_k(logits, k, **self.threads)

    def layer_norm(self, rows: int, size: int) -> Call:
        x, weight, bias = normal(rows, size), normal(size), normal(size)
        return lambda: kernels.layer_norm(x, weight, bias, **self.threads)

    def lstm(self, **shape: int) -> Call:
        return self.layer(_core.LSTMCell, 4, **shape)

    def gru(self, **shape: int) -> Call:
        return self.layer(_core.GRUCell, 3, **shape)

    def layer(self, kind: Any, gates: int, length: int, batch: int, size: int, hidden: int) -> Call:
        """A recurrent layer behind an embedding, because our layers have no other input."""

        settings = _core.BuildSettings(precision=self.setup.precision)

        def linear(columns: int) -> _core.Linear:
            weight, bias = normal(gates * hidden, columns), normal(gates * hidden)
            return _core.Linear(SMALL * weight, SMALL * bias, settings=settings)

        layer = _core.RnnLayer(forward=kind(input=linear(size), recurrent=linear(hidden)))
        embedding = _core.Embedding(normal(length * batch, size))
        encoder = _core.RnnEncoder(embedding=embedding, layers=[layer])
        encoder.num_threads = self.setup.threads
        tokens, lengths = np.arange(length * batch, dtype=np.int32), np.full(batch, length)
        state = encoder.new_state(batch)
        return lambda: encoder.states_after(tokens, lengths, state)
