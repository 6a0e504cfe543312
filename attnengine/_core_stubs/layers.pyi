"""Layers and how they are packed."""

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

def limit_threads(num_threads: int) -> None: ...

class BuildSettings:
    def __init__(
        self,
        *,
        precision: str = "float32",
        cache_precision: str = "float32",
        num_threads: int = 1,
        pack: bool = True,
    ) -> None: ...
    @property
    def precision(self) -> str: ...
    @property
    def cache_precision(self) -> str: ...
    @property
    def num_threads(self) -> int: ...
    @property
    def pack(self) -> bool: ...
    def with_precision(self, precision: str) -> BuildSettings: ...

class Linear:
    @overload
    def __init__(
        self,
        rows: Callable[[int, int], ArrayLike],
        *,
        out_features: int,
        in_features: int,
        bias: ArrayLike | None = None,
        settings: BuildSettings = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        weight: ArrayLike,
        bias: ArrayLike | None = None,
        *,
        settings: BuildSettings = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *,
        packed: NDArray[np.uint8],
        out_features: int,
        in_features: int,
        bias: ArrayLike | None = None,
        precision: str,
    ) -> None: ...
    @property
    def packed(self) -> NDArray[np.uint8]: ...
    @property
    def precision(self) -> str: ...
    @property
    def in_features(self) -> int: ...
    @property
    def out_features(self) -> int: ...

class Embedding:
    @overload
    def __init__(self, table: Linear, *, scale: float = 1.0) -> None: ...
    @overload
    def __init__(self, weight: ArrayLike) -> None: ...

class Cell:
    @property
    def input_size(self) -> int: ...
    @property
    def hidden_size(self) -> int: ...

class ElmanCell(Cell):
    def __init__(self, *, input: Linear, recurrent: Linear, nonlinearity: str = "tanh") -> None: ...

class GRUCell(Cell):
    def __init__(
        self,
        *,
        input: Linear,
        recurrent: Linear,
        candidate: Linear | None = None,
        nonlinearity: str = "tanh",
        gate_activation: str = "sigmoid",
    ) -> None: ...

class LSTMCell(Cell):
    def __init__(
        self,
        *,
        input: Linear,
        recurrent: Linear,
        nonlinearity: str = "tanh",
        gate_activation: str = "sigmoid",
        peepholes: ArrayLike | None = None,
        cell_clip: float | None = None,
        projection: Linear | None = None,
        projection_clip: float | None = None,
    ) -> None: ...

class RnnLayer:
    def __init__(
        self,
        *,
        forward: Cell,
        backward: Cell | None = None,
        separate: bool = False,
        skip: bool = False,
    ) -> None: ...

class AttentionScore:
    def __init__(
        self,
        *,
        query: Linear | None = None,
        key: Linear | None = None,
        vector: ArrayLike | None = None,
    ) -> None: ...

class Norm: ...

class LayerNorm(Norm):
    def __init__(self, weight: ArrayLike, bias: ArrayLike | None, *, eps: float) -> None: ...

class PerHeadLayerNorm(Norm):
    def __init__(self, weight: ArrayLike, *, eps: float) -> None: ...

class RMSNorm(Norm):
    def __init__(self, weight: ArrayLike, *, eps: float) -> None: ...

class BlockNorm:
    def __init__(
        self,
        *,
        before: Norm | None = None,
        inside: Norm | None = None,
        after: Norm | None = None,
    ) -> None: ...

class Rotary:
    def __init__(
        self,
        frequencies: ArrayLike,
        *,
        factor: float = 1.0,
        dynamic: tuple[float, float, int] | None = None,
    ) -> None: ...

class PositionBias:
    def __init__(
        self,
        *,
        table: ArrayLike | None = None,
        slopes: ArrayLike | None = None,
        keys: ArrayLike | None = None,
    ) -> None: ...

class MultiHeadAttention:
    def __init__(
        self,
        *,
        output: Linear,
        num_heads: int,
        query_key_value: Linear | None = None,
        query: Linear | None = None,
        key_value: Linear | None = None,
        num_kv_heads: int | None = None,
        rotary: Rotary | None = None,
        scale: float | None = None,
        window: int = 0,
        score_cap: float = 0.0,
        clip: float = 0.0,
        query_norm: Norm | None = None,
        key_norm: Norm | None = None,
        position_bias: PositionBias | None = None,
    ) -> None: ...

class FeedForwardBlock: ...

class FeedForward(FeedForwardBlock):
    def __init__(
        self, *, up: Linear, down: Linear, activation: str, gated: bool = False
    ) -> None: ...

class Experts(FeedForwardBlock):
    def __init__(
        self,
        *,
        router: Linear,
        experts: Sequence[FeedForward],
        experts_per_token: int,
        normalise: bool = True,
    ) -> None: ...

class Recurrence: ...

class SimpleRecurrence(Recurrence):
    def __init__(self, *, forget: Linear, input: Linear) -> None: ...

class AverageRecurrence(Recurrence):
    def __init__(self, *, gate: Linear, feed_forward: FeedForwardBlock | None = None) -> None: ...

class TransformerLayer:
    def __init__(
        self,
        *,
        self_attention: MultiHeadAttention | None,
        self_attention_norm: BlockNorm,
        feed_forward: FeedForwardBlock,
        feed_forward_norm: BlockNorm,
        cross_attention: MultiHeadAttention | None = None,
        cross_attention_norm: BlockNorm | None = None,
        parallel: bool = False,
        recurrence: Recurrence | None = None,
    ) -> None: ...
