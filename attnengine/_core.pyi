"""Types of the compiled module."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Kernels: attnengine/kernels.py is their public face.

def isa() -> str: ...
def activate(x: ArrayLike, activation: str, *, num_threads: int = 1) -> NDArray[np.float32]: ...
def softmax(x: ArrayLike, *, num_threads: int = 1) -> NDArray[np.float32]: ...
def log_softmax_top_k(
    logits: ArrayLike, k: int, *, num_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.int32]]: ...
def layer_norm(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    num_threads: int = 1,
) -> NDArray[np.float32]: ...
def linear(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str = "none",
    *,
    num_threads: int = 1,
) -> NDArray[np.float32]: ...

class PackedLinear:
    """A linear layer whose weight is packed once."""

    def __init__(self, weight: ArrayLike, bias: ArrayLike | None = None) -> None: ...
    def __call__(
        self, x: ArrayLike, activation: str = "none", *, num_threads: int = 1
    ) -> NDArray[np.float32]: ...

def elman_gates(
    gx: ArrayLike, gh: ArrayLike, nonlinearity: str = "tanh", *, num_threads: int = 1
) -> NDArray[np.float32]: ...
def gru_gates(
    gx: ArrayLike, gh: ArrayLike, hidden: ArrayLike, *, num_threads: int = 1
) -> NDArray[np.float32]: ...
def lstm_gates(
    gx: ArrayLike, gh: ArrayLike, cell: ArrayLike, *, num_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
def additive_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, v: ArrayLike, *, num_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
def dot_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, *, num_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
def scaled_dot_attention(
    query: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    lengths: ArrayLike | None = None,
    scale: float | None = None,
    *,
    need_weights: bool = True,
    num_threads: int = 1,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
