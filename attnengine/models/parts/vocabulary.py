"""Embeddings and output layers, which may share a weight."""

from __future__ import annotations

import math

from attnengine import _core
from attnengine.models.matrix import Floats, Matrix
from attnengine.models.settings import logits_precision
from attnengine.models.weights import Weights


def logits_layer(w: Weights, weight: Matrix, bias: Floats | None = None) -> _core.Linear:
    """Return the output layer of weight (vocab_size, size) and bias (vocab_size,)."""
    return w.pack(weight, bias, precision=logits_precision(w.settings))


def embedding(w: Weights, weight: Matrix) -> _core.Embedding:
    """Return the embedding of weight (vocab_size, size), in the output layer's precision."""
    precision = logits_precision(w.settings)
    if precision == "float32":
        return _core.Embedding(weight.read())
    return _core.Embedding(w.pack(weight, precision=precision))


def vocabulary_layers(
    w: Weights,
    weight: Matrix,
    output: Matrix | None,
    bias: Floats | None = None,
    *,
    scale: float = 1.0,
) -> tuple[_core.Embedding, _core.Linear]:
    """Return the embedding of ``weight`` and the output layer of ``output``, or tied if None.

    weight and output (vocab_size, size), bias (vocab_size,). The output layer's weight is
    multiplied by ``scale``. Tied layers share memory, unless that would change float32 rows.
    """
    if output is not None:
        return embedding(w, weight), logits_layer(w, output.scaled(scale), bias)
    layer = logits_layer(w, weight.scaled(scale), bias)
    if _can_be_undone(scale, layer.precision):
        return _core.Embedding(layer, scale=1 / scale), layer
    return embedding(w, weight), layer


def with_head(
    weights: Weights,
    table: Matrix,
    *,
    tied: bool,
    bias: bool = False,
    scale: float = 1.0,
    name: str = "lm_head",
) -> tuple[_core.Embedding, _core.Linear]:
    """Return the embedding of ``table`` and the output layer called ``name``.

    ``tied``: the output layer's weight is the table. ``bias``: the output layer has a bias.
    """
    output = None if tied else weights.matrix(f"{name}.weight", *table.shape)
    found = weights.take(f"{name}.bias", table.shape[0]) if bias else None
    return vocabulary_layers(weights, table, output, found, scale=scale)


def _can_be_undone(scale: float, precision: str) -> bool:
    """Whether dividing a scaled weight by its scale restores it; in float32 exactly."""
    is_power = abs(math.frexp(scale)[0]) == 0.5
    return 2**-16 < abs(scale) < 2**16 and (is_power or precision != "float32")
