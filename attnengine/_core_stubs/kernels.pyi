"""Kernels, behind `attnengine.kernels`."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine._core_stubs.arrays import Floats, Ints

def isa() -> str: ...
def available_isas() -> list[str]: ...
def thread_backend() -> str: ...
def available_thread_backends() -> list[str]: ...
def activate(x: ArrayLike, activation: str, num_threads: int = 1) -> Floats: ...
def gated_activation(both: ArrayLike, activation: str, num_threads: int = 1) -> Floats: ...
def softmax(x: ArrayLike, num_threads: int = 1) -> Floats: ...
def log_softmax_top_k(logits: ArrayLike, k: int, num_threads: int = 1) -> tuple[Floats, Ints]: ...
def target_log_probs(
    logits: ArrayLike, targets: ArrayLike, num_threads: int = 1
) -> NDArray[np.float64]: ...
def layer_norm(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    num_threads: int = 1,
) -> Floats: ...
def rms_norm(
    x: ArrayLike, weight: ArrayLike, eps: float = 1e-5, num_threads: int = 1
) -> Floats: ...
def rotary(
    x: ArrayLike,
    positions: ArrayLike,
    frequencies: ArrayLike,
    factor: float = 1.0,
    dynamic: tuple[float, float, int] | None = None,
    num_threads: int = 1,
) -> Floats: ...
def linear(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str = "none",
    num_threads: int = 1,
) -> Floats: ...

class PackedLinear:
    """A linear layer with a weight that is packed once."""

    def __init__(
        self, weight: ArrayLike, bias: ArrayLike | None = None, *, precision: str = "float32"
    ) -> None: ...
    def __call__(
        self,
        x: ArrayLike,
        activation: str = "none",
        *,
        add: ArrayLike | None = None,
        num_threads: int = 1,
    ) -> Floats: ...
    def unpack(self, outputs: ArrayLike) -> Floats: ...

def elman_gates(
    gx: ArrayLike, gh: ArrayLike, nonlinearity: str = "tanh", num_threads: int = 1
) -> Floats: ...
def gru_gates(
    gx: ArrayLike,
    gh: ArrayLike,
    hidden: ArrayLike,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    num_threads: int = 1,
) -> Floats: ...
def gru_reset(
    gx: ArrayLike,
    gh: ArrayLike,
    hidden: ArrayLike,
    gate_activation: str = "sigmoid",
    num_threads: int = 1,
) -> Floats: ...
def gru_update(
    gx: ArrayLike,
    gh: ArrayLike,
    candidate: ArrayLike,
    hidden: ArrayLike,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    num_threads: int = 1,
) -> Floats: ...
def lstm_gates(
    gx: ArrayLike,
    gh: ArrayLike,
    cell: ArrayLike,
    peepholes: ArrayLike | None = None,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    cell_clip: float | None = None,
    num_threads: int = 1,
) -> tuple[Floats, Floats]: ...
def additive_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, v: ArrayLike, num_threads: int = 1
) -> tuple[Floats, Floats]: ...
def dot_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, num_threads: int = 1
) -> tuple[Floats, Floats]: ...

class KeyValuePages:
    """Keys and values of one sequence, stored once.

    keys and values (positions, kv_heads, head_dim); cache_precision "float32", or to what they are
    rounded, half to even: "float16", finite ones to 65504 at most, or "int8", 127 being the largest
    magnitude of a head at a position.
    """

    def __init__(
        self, keys: ArrayLike, values: ArrayLike, *, cache_precision: str = "float32"
    ) -> None: ...
    def attend(
        self,
        query: ArrayLike,
        lengths: ArrayLike | None = None,
        *,
        begins: ArrayLike | None = None,
        scale: float | None = None,
        score_cap: float = 0.0,
        position_bias: ArrayLike | None = None,
        slopes: ArrayLike | None = None,
        key_bias: ArrayLike | None = None,
        places: ArrayLike | None = None,
        need_weights: bool = True,
        num_threads: int = 1,
    ) -> tuple[Floats, Floats]: ...
