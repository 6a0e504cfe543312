"""Converts Keras' recurrent layers to PyTorch's layout: gate orders, biases, cuDNN's layout.

Kernels are (input, gates * units). The gates of an LSTM are i, f, c, o; those of a GRU are z, r,
h. The cuDNN layers (CuDNNLSTM, CuDNNGRU) store each gate's kernel transposed in a special way, and
two concatenated biases. Keras' own conversion is in keras/engine/saving.py of version 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.shared.derived import derived, gates_ordered, transposed

# Block i of PyTorch's gates is block ORDER[i] of Keras'.
_ORDER = {"elman": (0,), "gru": (1, 0, 2), "lstm": (0, 1, 2, 3)}


def cell(
    path: Path, cell: str, suffix: str, weights: Mapping[str, Tensor], *, cudnn: bool
) -> dict[str, Tensor]:
    """Return a layer's weights by PyTorch's names with `suffix`, such as "l0".

    weights: "kernel", "recurrent_kernel" and optionally "bias". Raises `FormatError` if one is
    missing or if their shapes do not fit.
    """
    for name in ("kernel", "recurrent_kernel"):
        if name not in weights or len(weights[name].shape) != 2:
            raise FormatError(f"{path}: a recurrent layer has no matrix {name}")
    order, kernel, recurrent = _ORDER[cell], weights["kernel"], weights["recurrent_kernel"]
    units = recurrent.shape[0]
    columns = len(order) * units
    for weight in (kernel, recurrent):
        if weight.shape[1] != columns:
            raise FormatError(
                f"{path}: {weight.name} has shape {weight.shape}, expected {columns} columns"
            )
    if cudnn:
        rows = [_from_cudnn(weight, len(order)) for weight in (kernel, recurrent)]
    else:
        rows = [transposed(kernel), transposed(recurrent)]
    named = {
        "weight_ih": rows[0],
        "weight_hh": rows[1],
        **_biases(path, weights.get("bias"), columns),
    }
    return {f"{name}_{suffix}": gates_ordered(w, order, path) for name, w in named.items()}


def has_cudnn_bias(cell: str, weights: Mapping[str, Tensor]) -> bool:
    """Whether a layer has two concatenated biases, as only cuDNN's layers have."""
    shapes = [weights[name].shape for name in ("bias", "recurrent_kernel") if name in weights]
    if len(shapes) < 2 or not shapes[1]:
        return False
    return shapes[0] == (2 * len(_ORDER[cell]) * shapes[1][0],)


def _biases(path: Path, bias: Tensor | None, size: int) -> dict[str, Tensor]:
    """Split a bias (size,), or those of input and recurrence, (2, size) or (2 * size,)."""
    if bias is None:
        return {}
    if bias.shape == (size,):
        return {"bias_ih": bias}
    if bias.shape not in ((2, size), (2 * size,)):
        raise FormatError(f"{path}: {bias.name} has shape {bias.shape}, expected ({size},)")
    return {
        name: derived([bias], (size,), lambda array, row=row: array.reshape(2, size)[row])
        for row, name in enumerate(("bias_ih", "bias_hh"))
    }


def _from_cudnn(kernel: Tensor, gates: int) -> Tensor:
    """Convert a kernel (input, gates * units) in cuDNN's layout to (gates * units, input).

    A gate's block has shape (input, units) but holds the numbers of (units, input) in order.
    """
    inputs, columns = kernel.shape

    def convert(array: NDArray[Any]) -> NDArray[Any]:
        blocks = np.split(array, gates, axis=1)
        return np.concatenate([block.reshape(columns // gates, inputs) for block in blocks])

    return derived([kernel], (columns, inputs), convert)
