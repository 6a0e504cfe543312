"""A linear layer with PyTorch's order of weights, (out, in)."""

from __future__ import annotations

from attnengine.reference.arrays import Floats


def linear(x: Floats, weight: Floats, bias: Floats | None = None) -> Floats:
    """Return x @ weight.T + bias, as in ``torch.nn.Linear``.

    x (rows, in), weight (out, in), bias (out,) or None. Returns (rows, out).
    """
    y: Floats = x @ weight.T  # (rows, out)
    return y if bias is None else y + bias
