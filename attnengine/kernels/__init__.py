"""The kernels under the models, on NumPy arrays: float32, anything else is converted.

Each has a NumPy twin of the same name in ``attnengine.reference``. ``num_threads`` is how many
threads a call may use; results do not depend on it, nor on which other rows are in the call.
An argument with a shape that does not fit raises ``attnengine.errors.InvalidArgument``. NaN in
gives NaN out.
"""

from __future__ import annotations

from attnengine import _core
from attnengine._core import KeyValuePages, PackedLinear
from attnengine.kernels.activations import (
    gated_activation,
    gelu,
    gelu_tanh,
    relu,
    sigmoid,
    silu,
    tanh,
)
from attnengine.kernels.attention import (
    AttentionOptions,
    additive_attention,
    concat_attention,
    dot_attention,
    general_attention,
    scaled_dot_attention,
)
from attnengine.kernels.linear import linear
from attnengine.kernels.norm import layer_norm, rms_norm
from attnengine.kernels.rnn_gates import (
    LstmOptions,
    elman_gates,
    gru_gates,
    gru_reset,
    gru_update,
    lstm_gates,
)
from attnengine.kernels.rotary import rotary
from attnengine.kernels.softmax import log_softmax_top_k, softmax, target_log_probs

__all__ = [
    "AttentionOptions",
    "KeyValuePages",
    "LstmOptions",
    "PackedLinear",
    "additive_attention",
    "available_isas",
    "available_thread_backends",
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
    "thread_backend",
]


def isa() -> str:
    """Name of the instruction set in use; the environment variable ATTNENGINE_ISA forces one."""
    return _core.isa()


def available_isas() -> list[str]:
    """Names of the instruction sets that this machine has, best first."""
    return _core.available_isas()


def thread_backend() -> str:
    """Name of what runs threads: "pool", or "openmp" where ATTNENGINE_PARALLEL says so."""
    return _core.thread_backend()


def available_thread_backends() -> list[str]:
    """Names that ATTNENGINE_PARALLEL may have: "pool", and "openmp" where the build has it."""
    return _core.available_thread_backends()
