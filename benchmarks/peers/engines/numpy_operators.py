"""The operators in NumPy, by the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attnengine.reference.linear import linear
from attnengine.reference.norm import layer_norm
from attnengine.reference.rnn_gates import gru_gates, lstm_gates
from attnengine.reference.softmax import softmax
from benchmarks.peers.engines.numpy_beam_search import best_of_rows
from benchmarks.peers.engines.operator_calls import (
    SMALL,
    Call,
    Make,
    OperatorEngine,
    Product,
    normal,
)
from benchmarks.peers.models import Model


class NumPyOperators(OperatorEngine):
    @staticmethod
    def variants(model: Model) -> list[str]:
        return ["float32"] if model.family == "operators" else []

    def makers(self) -> dict[str, Make]:
        return {
            "linear": self.linear,
            "attention": make_attention,
            "top_k": make_top_k,
            "layer_norm": make_layer_norm,
            "lstm": make_lstm,
            "gru": make_gru,
        }

    def product(self, out: int, size: int) -> Product:
        weight, bias = normal(out, size), normal(out)
        return lambda x: lambda: linear(x, weight, bias)


def make_attention(
    batch: int, heads: int, rows: int, positions: int, head_dim: int, causal: int
) -> Call:
    query, keys = normal(batch, heads, rows, head_dim), normal(batch, heads, positions, head_dim)
    unseen = np.triu(np.full((rows, positions), -np.inf, np.float32), 1) if causal else 0.0
    scale, values = np.float32(head_dim**-0.5), keys.copy()
    return lambda: softmax(query @ keys.transpose(0, 1, 3, 2) * scale + unseen) @ values


def make_top_k(rows: int, vocab_size: int, k: int) -> Call:
    logits = normal(rows, vocab_size)
    return lambda: best_of_rows(logits, k)


def make_layer_norm(rows: int, size: int) -> Call:
    x, weight, bias = normal(rows, size), normal(size), normal(size)
    return lambda: layer_norm(x, weight, bias, 1e-5)


def make_lstm(**shape: int) -> Call:
    return make_layer(4, lambda gx, gh, state: lstm_gates(gx, gh, state[1]), **shape)


def make_gru(**shape: int) -> Call:
    return make_layer(3, lambda gx, gh, state: (gru_gates(gx, gh, state[0]),), **shape)


def make_layer(
    gates: int, step: Callable[..., Any], length: int, batch: int, size: int, hidden: int
) -> Call:
    """A layer; `step` computes the next state, hidden first, from two products and the state."""
    x, zeros = normal(length, batch, size), np.zeros((batch, hidden), np.float32)
    inputs, recurrent = SMALL * normal(gates * hidden, size), SMALL * normal(gates * hidden, hidden)

    def call() -> Any:
        state = (zeros, zeros)
        for gx in linear(x.reshape(-1, size), inputs).reshape(length, batch, -1):
            state = step(gx, linear(state[0], recurrent), state)
        return state

    return call
