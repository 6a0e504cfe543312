"""The gates of recurrent cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core

if TYPE_CHECKING:
    from typing_extensions import Unpack

Floats = NDArray[np.float32]


def elman_gates(
    gx: ArrayLike, gh: ArrayLike, nonlinearity: str = "tanh", *, num_threads: int = 1
) -> Floats:
    """The cell of ``torch.nn.RNN`` (Elman 1990): tanh(gx + gh), or another activation of `linear`.

    gx and gh (rows, hidden). Returns the new hidden state (rows, hidden).
    """
    return _core.elman_gates(gx, gh, nonlinearity, num_threads)


def gru_gates(
    gx: ArrayLike,
    gh: ArrayLike,
    hidden: ArrayLike,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    *,
    num_threads: int = 1,
) -> Floats:
    """The gates of ``torch.nn.GRU``, in the order r, z, n: the reset gate after the product.

    gx = x @ weight_ih.T + bias_ih and gh = hidden @ weight_hh.T + bias_hh (rows, 3 * hidden),
    hidden (rows, hidden). Returns the new hidden state (rows, hidden).
    """
    return _core.gru_gates(gx, gh, hidden, nonlinearity, gate_activation, num_threads)


def gru_reset(
    gx: ArrayLike,
    gh: ArrayLike,
    hidden: ArrayLike,
    gate_activation: str = "sigmoid",
    *,
    num_threads: int = 1,
) -> Floats:
    """Reset gate of a GRU before the product (Cho et al. 2014): r * hidden.

    gx (rows, 3 * hidden) as in `gru_gates`, gh (rows, 2 * hidden) of the gates r and z, hidden
    (rows, hidden). Returns (rows, hidden), which the recurrent product of n reads.
    """
    return _core.gru_reset(gx, gh, hidden, gate_activation, num_threads)


def gru_update(
    gx: ArrayLike,
    gh: ArrayLike,
    candidate: ArrayLike,
    hidden: ArrayLike,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    *,
    num_threads: int = 1,
) -> Floats:
    """Finish the step that `gru_reset` began: n = tanh(gx_n + candidate), (1 - z) n + z hidden.

    gx (rows, 3 * hidden), gh (rows, 2 * hidden), candidate (rows, hidden) the recurrent product of
    n, hidden (rows, hidden). Returns the new hidden state (rows, hidden).
    """
    return _core.gru_update(gx, gh, candidate, hidden, nonlinearity, gate_activation, num_threads)


class LstmOptions(TypedDict, total=False):
    """Options of `lstm_gates`: the activations of the candidate and of the gates, and a limit."""

    nonlinearity: str  # "tanh" if not given
    gate_activation: str  # "sigmoid" if not given
    cell_clip: float | None
    num_threads: int  # 1 if not given


def lstm_gates(
    gx: ArrayLike,
    gh: ArrayLike,
    cell: ArrayLike,
    peepholes: ArrayLike | None = None,
    **options: Unpack[LstmOptions],
) -> tuple[Floats, Floats]:
    """The gates of ``torch.nn.LSTM``, in the order i, f, g, o (Hochreiter, Schmidhuber 1997).

    gx = x @ weight_ih.T + bias_ih and gh = hidden @ weight_hh.T + bias_hh (rows, 4 * hidden),
    cell (rows, hidden). Peepholes (3 * hidden,) of i, f and o add their products with the cell,
    that of o with the new one, which is first limited to [-cell_clip, cell_clip].
    Returns the new (hidden, cell), both (rows, hidden).
    """
    return _core.lstm_gates(gx, gh, cell, peepholes, **options)
