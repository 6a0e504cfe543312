"""The LSTM of TensorFlow 1, as BasicLSTMCell and LSTMCell store it, in PyTorch's form.

One kernel (input + output, 4 * units) reads [x; h]; the gates are i, j, f, o. The cell adds a
forget bias when it runs: no file has it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.shared.derived import derived, gates_ordered, part, transposed

_GATES = (0, 2, 1, 3)  # i, f, g, o
_FORGET = np.array([0.0, 1.0, 0.0, 0.0])  # of i, f, g, o; TensorFlow's default


def lstm(
    path: Path, suffix: str, kernel: Tensor, bias: Tensor, projection: Tensor | None = None
) -> dict[str, Tensor]:
    """Weights of a layer by PyTorch's names with `suffix`, such as "l0".

    kernel (input + output, 4 * units), bias (4 * units,), projection (units, output) or None.
    Raises `FormatError` when their shapes do not fit.
    """
    units = kernel.shape[-1] // 4 if kernel.shape else 0
    out = projection.shape[-1] if projection and projection.shape else units
    inputs = kernel.shape[0] - out if len(kernel.shape) == 2 else 0
    expected = [(inputs + out, 4 * units), (4 * units,), (units, out)]
    if units < 1 or inputs < 1 or out < 1:
        raise FormatError(
            f"{path}: {kernel.name} has shape {kernel.shape}, expected (input + output, 4 * units)"
        )
    for tensor, shape in zip((kernel, bias, projection), expected, strict=True):
        if tensor and tensor.shape != shape:
            raise FormatError(f"{path}: {tensor.name} has shape {tensor.shape}, expected {shape}")
    ih, hh = part(kernel, 0, inputs), part(kernel, inputs, inputs + out)
    weights = {
        f"weight_ih_{suffix}": gates_ordered(transposed(ih), _GATES, path),
        f"weight_hh_{suffix}": gates_ordered(transposed(hh), _GATES, path),
        f"bias_ih_{suffix}": _with_forget_bias(gates_ordered(bias, _GATES, path)),
    }
    return weights | ({f"weight_hr_{suffix}": transposed(projection)} if projection else {})


def _with_forget_bias(bias: Tensor) -> Tensor:
    added = np.repeat(_FORGET, bias.shape[0] // 4)
    return derived([bias], bias.shape, lambda array: array + added)
