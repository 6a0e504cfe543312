"""What the RNN architectures share: cells and layers from PyTorch's names."""

from __future__ import annotations

from typing import Literal

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.registry import Weights

CellName = Literal["elman", "gru", "lstm"]
Nonlinearity = Literal["tanh", "relu"]

_GATES = {"elman": 1, "gru": 3, "lstm": 4}


def cell(
    name: CellName,
    nonlinearity: Nonlinearity,
    w: Weights,
    suffix: str,
    input_size: int,
    hidden_size: int,
) -> _core.Cell:
    """Build one cell from ``weight_ih_<suffix>`` and its siblings, as in ``torch.nn.LSTM``."""
    if nonlinearity != "tanh" and name != "elman":
        raise FormatError(f"config: 'nonlinearity' is {nonlinearity!r}, expected 'tanh' for {name}")
    rows = _GATES[name] * hidden_size
    projections = {
        "input": _core.Linear(
            w.take(f"weight_ih_{suffix}", rows, input_size), w.get(f"bias_ih_{suffix}", rows)
        ),
        "recurrent": _core.Linear(
            w.take(f"weight_hh_{suffix}", rows, hidden_size), w.get(f"bias_hh_{suffix}", rows)
        ),
    }
    if name == "gru":
        return _core.GRUCell(**projections)
    if name == "lstm":
        return _core.LSTMCell(**projections)
    return _core.ElmanCell(**projections, nonlinearity=nonlinearity)


def stack(
    name: CellName,
    nonlinearity: Nonlinearity,
    w: Weights,
    input_size: int,
    hidden_size: int,
    num_layers: int,
) -> list[_core.Cell]:
    """Build the cells of a stack that runs forward, bottom first."""
    return [
        cell(name, nonlinearity, w, f"l{i}", hidden_size if i else input_size, hidden_size)
        for i in range(num_layers)
    ]


def encoder_layers(
    name: CellName,
    nonlinearity: Nonlinearity,
    w: Weights,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    *,
    bidirectional: bool,
) -> list[_core.RnnLayer]:
    """Build the layers of an encoder, with their reverse halves when bidirectional."""
    width = hidden_size * (2 if bidirectional else 1)
    layers = []
    for i in range(num_layers):
        size = input_size if i == 0 else width

        def half(suffix: str, size: int = size) -> _core.Cell:
            return cell(name, nonlinearity, w, suffix, size, hidden_size)

        backward = half(f"l{i}_reverse") if bidirectional else None
        layers.append(_core.RnnLayer(forward=half(f"l{i}"), backward=backward))
    return layers
