"""Shared parts of RNN architectures: the config of cells, and cells and layers from weights."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.matrix import Floats, Matrix
from attnengine.models.weights import Weights

CellName = Literal["elman", "gru", "lstm"]
Gate = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_6"]
Nonlinearity = Literal["tanh", "relu", "linear", "sigmoid", "hard_sigmoid", "hard_sigmoid_6"]
Layer = tuple[Matrix, Floats | None]  # weight (out, in), bias (out,)

_GATES = {"elman": 1, "gru": 3, "lstm": 4}
# switch -> cells that have it; configs of other cells must have its default
_SWITCHES = {
    "gate_activation": ("gru", "lstm"),
    "reset": ("gru",),
    "peepholes": ("lstm",),
    "cell_clip": ("lstm",),
    "projection_size": ("lstm",),
    "projection_clip": ("lstm",),
}


@dataclass(frozen=True, kw_only=True)
class CellConfig:
    """Keys of the cell, which every RNN architecture has; ``docs/export.md`` explains each."""

    cell: CellName
    nonlinearity: Nonlinearity
    gate_activation: Gate = "sigmoid"
    reset: Literal["after", "before"] = "after"
    peepholes: bool = False
    cell_clip: float | None = None
    projection_size: int | None = None
    projection_clip: float | None = None

    def __post_init__(self) -> None:
        """Raise FormatError for a switch that the cell lacks."""
        for field in fields(CellConfig):
            cells, value = _SWITCHES.get(field.name, (self.cell,)), getattr(self, field.name)
            if self.cell not in cells and value != field.default:
                raise FormatError(
                    f"config: {field.name!r} is {value!r}, expected {field.default!r} for cell "
                    f"{self.cell!r}"
                )
        if self.projection_clip is not None and self.projection_size is None:
            raise FormatError(
                f"config: 'projection_clip' is {self.projection_clip!r}, expected null without "
                "'projection_size'"
            )

    def output_size(self, hidden_size: int) -> int:
        """Size of the output of a cell with ``hidden_size`` units."""
        return self.projection_size or hidden_size


def cell(
    config: CellConfig, w: Weights, suffix: str, input_size: int, hidden_size: int
) -> _core.Cell:
    """Build one cell from ``weight_ih_<suffix>`` and the like, named as in ``torch.nn.LSTM``."""
    rows, size = _GATES[config.cell] * hidden_size, config.output_size(hidden_size)
    ih = w.matrix(f"weight_ih_{suffix}", rows, input_size), w.get(f"bias_ih_{suffix}", rows)
    hh = w.matrix(f"weight_hh_{suffix}", rows, size), w.get(f"bias_hh_{suffix}", rows)
    if config.cell == "elman":
        return _core.ElmanCell(
            input=w.pack(*ih), recurrent=w.pack(*hh), nonlinearity=config.nonlinearity
        )
    if config.cell == "gru":
        return gru(config, w, ih, hh)
    projection = None
    if config.projection_size:
        projection = w.pack(w.matrix(f"weight_hr_{suffix}", size, hidden_size))
    return _core.LSTMCell(
        input=w.pack(*ih),
        recurrent=w.pack(*hh),
        nonlinearity=config.nonlinearity,
        gate_activation=config.gate_activation,
        peepholes=w.take(f"peephole_{suffix}", 3 * hidden_size) if config.peepholes else None,
        cell_clip=config.cell_clip,
        projection=projection,
        projection_clip=config.projection_clip,
    )


def gru(config: CellConfig, w: Weights, ih: Layer, hh: Layer) -> _core.GRUCell:
    """Build a GRU; with the reset before the product, the rows of n are a separate layer."""
    weight, bias = hh
    end = weight.shape[0]
    cut = end if config.reset == "after" else 2 * weight.shape[1]

    def rows(first: int, last: int) -> _core.Linear:
        return w.pack(weight.part(first, last), None if bias is None else bias[first:last])

    return _core.GRUCell(
        input=w.pack(*ih),
        recurrent=rows(0, cut),
        candidate=rows(cut, end) if config.reset == "before" else None,
        nonlinearity=config.nonlinearity,
        gate_activation=config.gate_activation,
    )


def stack(
    config: CellConfig, w: Weights, input_size: int, hidden_size: int, num_layers: int
) -> list[_core.Cell]:
    """Build the cells of a forward stack, from bottom to top."""
    below = config.output_size(hidden_size)
    return [
        cell(config, w, f"l{i}", below if i else input_size, hidden_size) for i in range(num_layers)
    ]


class StackOptions(NamedTuple):
    """How the layers of an encoder are connected."""

    num_layers: int
    bidirectional: bool
    separate: bool = False  # above the first layer a direction reads only its own one below
    skip: bool = False  # a layer above the first adds its input to its output


def encoder_layers(
    config: CellConfig, w: Weights, input_size: int, hidden_size: int, options: StackOptions
) -> list[_core.RnnLayer]:
    """Build the layers of an encoder, with reverse cells if bidirectional."""
    directions = 2 if options.bidirectional and not options.separate else 1
    width = config.output_size(hidden_size) * directions
    layers = []
    for i in range(options.num_layers):
        size = width if i else input_size

        def half(suffix: str, size: int = size) -> _core.Cell:
            return cell(config, w, suffix, size, hidden_size)

        backward = half(f"l{i}_reverse") if options.bidirectional else None
        layers.append(
            _core.RnnLayer(
                forward=half(f"l{i}"),
                backward=backward,
                separate=options.separate and i > 0,
                skip=options.skip and i > 0,
            )
        )
    return layers
