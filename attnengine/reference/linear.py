"""A linear layer with weights in PyTorch's order."""

from __future__ import annotations

from attnengine.reference.arrays import Floats


def linear(x: Floats, weight: Floats, bias: Floats | None = None) -> Floats:
    """As ``torch.nn.Linear``: x @ weight.T + bias.

    x (rows, in), weight (out, in), bias (out,) or None. Returns (rows, out).
    """
    y: Floats = x @ weight.T  # (rows, out)
    return y if bias is None else y + bias
