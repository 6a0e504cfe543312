"""The kernels under the models, on NumPy arrays: float32, anything else is converted.

Each has a NumPy twin of the same name in ``attnengine.reference``. ``num_threads`` is how many
threads a call may use; results do not depend on it, nor on which other rows are in the call.
An argument whose shape does not fit raises ``attnengine.errors.InvalidArgument``. NaN in gives
NaN out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core
from attnengine._core import KeyValuePages, PackedLinear
from attnengine.errors import InvalidArgument
from attnengine.gate_kernels import elman_gates, gru_gates, gru_reset, gru_update, lstm_gates

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "KeyValuePages",
    "PackedLinear",
    "additive_attention",
    "concat_attention",
    "dot_attention",
    "elman_gates",
    "gated_activation",
    "gelu",
    "gelu_tanh",
    "general_attention",
    "gru_gates",
    "gru_reset",
    "gru_update",
    "isa",
    "layer_norm",
    "linear",
    "log_softmax_top_k",
    "lstm_gates",
    "relu",
    "rms_norm",
    "rotary",
    "scaled_dot_attention",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
    "target_log_probs",
]

Floats = NDArray[np.float32]


def isa() -> str:
    """Name of the instruction set in use; the environment variable ATTNENGINE_ISA forces one."""
    return _core.isa()


def available_isas() -> list[str]:
    """Names of the instruction sets that this machine has, best first."""
    return _core.available_isas()


def linear(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str = "none",
    *,
    num_threads: int = 1,
) -> Floats:
    """activation(x @ weight.T + bias); packs the weight: use `PackedLinear` for many calls.

    x (rows, in), weight (out, in), bias (out,) or None; activation "none", "relu", "tanh",
    "sigmoid", "gelu", "gelu_tanh", "silu", "hard_sigmoid" (x / 5 + 1/2 limited to [0, 1]) or
    "hard_sigmoid_6" (x / 6 + 1/2). Returns (rows, out).
    """
    return _core.linear(x, weight, bias, activation, num_threads)


def tanh(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """Hyperbolic tangent of every element."""
    return _core.activate(x, "tanh", num_threads)


def sigmoid(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """1 / (1 + exp(-x)) of every element."""
    return _core.activate(x, "sigmoid", num_threads)


def relu(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """max(x, 0) of every element."""
    return _core.activate(x, "relu", num_threads)


def gelu(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """Multiply x by the normal distribution function of x (Hendrycks and Gimpel 2016), by erf."""
    return _core.activate(x, "gelu", num_threads)


def gelu_tanh(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """The tanh approximation of gelu, from the same paper."""
    return _core.activate(x, "gelu_tanh", num_threads)


def silu(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """Return x * sigmoid(x) of every element (Elfwing et al. 2018); also called swish."""
    return _core.activate(x, "silu", num_threads)


def gated_activation(both: ArrayLike, activation: str, *, num_threads: int = 1) -> Floats:
    """activation(gate) * up of both (rows, 2 * n), gates first (Shazeer 2020); returns (rows, n).

    The activations are those of `linear`.
    """
    return _core.gated_activation(both, activation, num_threads)


def softmax(x: ArrayLike, *, num_threads: int = 1) -> Floats:
    """exp(x) over its sum in each row. x (rows, n); returns (rows, n)."""
    return _core.softmax(x, num_threads)


def log_softmax_top_k(
    logits: ArrayLike, k: int, *, num_threads: int = 1
) -> tuple[Floats, NDArray[np.int32]]:
    """The k most probable tokens of each row, best first; of equal ones the lower token.

    logits (rows, vocab_size), k from 1 to vocab_size. Returns (log_probs, tokens), both
    (rows, k). Where fewer than k logits are above -inf, the rest are token -1. A NaN among
    the logits of a row makes its log_probs NaN.
    """
    return _core.log_softmax_top_k(logits, k, num_threads)


def target_log_probs(
    logits: ArrayLike, targets: ArrayLike, *, num_threads: int = 1
) -> NDArray[np.float64]:
    """The log-probability of one token of each row, in double precision.

    logits (rows, vocab_size), targets (rows,). Returns (rows,). NaN where a logit of the row is
    NaN, or the largest is infinite.
    """
    return _core.target_log_probs(logits, targets, num_threads)


def layer_norm(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    num_threads: int = 1,
) -> Floats:
    """Each row with mean 0 and variance 1, then scaled and shifted (Ba et al. 2016).

    x (rows, size), weight (size,), bias (size,) or None. Returns (rows, size).
    """
    return _core.layer_norm(x, weight, bias, eps, num_threads)


def rms_norm(x: ArrayLike, weight: ArrayLike, eps: float = 1e-5, *, num_threads: int = 1) -> Floats:
    """Each row over the root of its mean square, then scaled (Zhang and Sennrich 2019).

    x (rows, size), weight (size,). Returns (rows, size).
    """
    return _core.rms_norm(x, weight, eps, num_threads)


def rotary(
    x: ArrayLike,
    positions: ArrayLike,
    frequencies: ArrayLike,
    factor: float = 1.0,
    *,
    num_threads: int = 1,
) -> Floats:
    """Rotary position embedding (Su et al. 2021) of half-split pairs.

    x (rows, heads, head_dim), positions (rows,), frequencies (half,) in radians a position,
    half at most head_dim / 2: element i of a head turns with element i + half, what is beyond
    2 * half stays. factor multiplies what is turned. Returns (rows, heads, head_dim).
    """
    return _core.rotary(x, positions, frequencies, factor, num_threads)


def additive_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, v: ArrayLike, *, num_threads: int = 1
) -> tuple[Floats, Floats]:
    """Bahdanau's score, v . tanh(query + key) (Bahdanau, Cho and Bengio 2015).

    query (rows, key_dim) and keys (src, key_dim) already projected, values (src, value_dim),
    v (key_dim,). Returns (context (rows, value_dim), weights (rows, src)).
    """
    return _core.additive_attention(query, keys, values, v, num_threads)


def dot_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, *, num_threads: int = 1
) -> tuple[Floats, Floats]:
    """Luong's first score, query . key (Luong, Pham and Manning 2015).

    query (rows, key_dim), keys (src, key_dim), values (src, value_dim).
    Returns (context (rows, value_dim), weights (rows, src)).
    """
    return _core.dot_attention(query, keys, values, num_threads)


def general_attention(
    query: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    weight: ArrayLike | PackedLinear,
    *,
    num_threads: int = 1,
) -> tuple[Floats, Floats]:
    """Luong's second score, (weight query) . key: `dot_attention` of the projected query.

    query (rows, hidden), keys (src, size), values (src, value_dim), weight (size, hidden)
    or a PackedLinear of it. Returns (context (rows, value_dim), weights (rows, src)).
    """
    project = weight if isinstance(weight, PackedLinear) else PackedLinear(weight)
    projected = project(query, num_threads=num_threads)
    return dot_attention(projected, keys, values, num_threads=num_threads)


def concat_attention(
    query: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    weight: ArrayLike,
    v: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    num_threads: int = 1,
) -> tuple[Floats, Floats]:
    """Luong's third score, v . tanh(weight [query; key] + bias).

    It is `additive_attention` of query and keys, each projected by its columns of the weight.
    query (rows, hidden), keys (src, size), values (src, value_dim), v (attention_size,),
    weight (attention_size, hidden + size), bias (attention_size,) or None.
    Returns (context (rows, value_dim), weights (rows, src)).
    """
    queries, states, columns = np.asarray(query), np.asarray(keys), np.asarray(weight)
    width = queries.shape[-1] + states.shape[-1]
    if columns.ndim != 2 or columns.shape[1] != width:
        raise InvalidArgument(
            f"weight.shape is {columns.shape}, expected (attention_size, {width})"
        )
    hidden = queries.shape[-1]
    projected_query = linear(queries, columns[:, :hidden], bias, num_threads=num_threads)
    projected_keys = linear(states, columns[:, hidden:], num_threads=num_threads)
    return additive_attention(projected_query, projected_keys, values, v, num_threads=num_threads)


class AttentionOptions(TypedDict, total=False):
    """What `scaled_dot_attention` does with scores; row r sees begins[r] to lengths[r] - 1.

    Scaled scores become score_cap * tanh(score / score_cap) when it is above 0 (Gemma 2). Then are
    added: key_bias, and by the distance, a key's position less the row's, column
    clip(distance, -reach, reach) + reach of position_bias (Raffel et al. 2020) and
    slopes * distance (Press et al. 2022).
    """

    begins: ArrayLike | None  # (rows,), None: 0
    score_cap: float
    position_bias: ArrayLike | None  # (heads, 2 * reach + 1)
    slopes: ArrayLike | None  # (heads,)
    key_bias: ArrayLike | None  # (heads, positions)
    places: ArrayLike | None  # (rows,), the positions of the rows; None: the last seen
    need_weights: bool  # or the weights that come back are (rows, heads, 0)
    num_threads: int


def scaled_dot_attention(
    query: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    lengths: ArrayLike | None = None,
    scale: float | None = None,
    **options: Unpack[AttentionOptions],
) -> tuple[Floats, Floats]:
    """Multi-head attention after the projections (Vaswani et al. 2017); stores keys and values.

    Use `KeyValuePages` for many calls.

    query (rows, heads, head_dim), keys and values (positions, kv_heads, head_dim): each key/value
    head serves heads / kv_heads adjacent query heads (Ainslie et al. 2023). lengths (rows,), at
    least 1, None: all. scale is 1 / sqrt(head_dim) if None.

    Returns (context (rows, heads, head_dim), weights (rows, heads, positions), 0 where a position
    is not seen).
    """
    return KeyValuePages(keys, values).attend(query, lengths, scale=scale, **options)
