"""Types of the compiled module; the docstrings are in csrc/bindings."""

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

def compiler() -> str: ...

# Kernels: attnengine/kernels.py is their public face.

def isa() -> str: ...
def available_isas() -> list[str]: ...
def activate(x: ArrayLike, activation: str, num_threads: int = 1) -> NDArray[np.float32]: ...
def gated_activation(
    both: ArrayLike, activation: str, num_threads: int = 1
) -> NDArray[np.float32]: ...
def softmax(x: ArrayLike, num_threads: int = 1) -> NDArray[np.float32]: ...
def log_softmax_top_k(
    logits: ArrayLike, k: int, num_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.int32]]: ...
def target_log_probs(
    logits: ArrayLike, targets: ArrayLike, num_threads: int = 1
) -> NDArray[np.float64]: ...
def layer_norm(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    num_threads: int = 1,
) -> NDArray[np.float32]: ...
def rms_norm(
    x: ArrayLike, weight: ArrayLike, eps: float = 1e-5, num_threads: int = 1
) -> NDArray[np.float32]: ...
def rotary(
    x: ArrayLike,
    positions: ArrayLike,
    frequencies: ArrayLike,
    factor: float = 1.0,
    num_threads: int = 1,
) -> NDArray[np.float32]: ...
def linear(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str = "none",
    num_threads: int = 1,
) -> NDArray[np.float32]: ...

class PackedLinear:
    """A linear layer whose weight is packed once."""

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
    ) -> NDArray[np.float32]: ...
    def unpack(self, outputs: ArrayLike) -> NDArray[np.float32]: ...

def elman_gates(
    gx: ArrayLike, gh: ArrayLike, nonlinearity: str = "tanh", num_threads: int = 1
) -> NDArray[np.float32]: ...
def gru_gates(
    gx: ArrayLike,
    gh: ArrayLike,
    hidden: ArrayLike,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    num_threads: int = 1,
) -> NDArray[np.float32]: ...
def gru_reset(
    gx: ArrayLike,
    gh: ArrayLike,
    hidden: ArrayLike,
    gate_activation: str = "sigmoid",
    num_threads: int = 1,
) -> NDArray[np.float32]: ...
def gru_update(
    gx: ArrayLike,
    gh: ArrayLike,
    candidate: ArrayLike,
    hidden: ArrayLike,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    num_threads: int = 1,
) -> NDArray[np.float32]: ...
def lstm_gates(
    gx: ArrayLike,
    gh: ArrayLike,
    cell: ArrayLike,
    peepholes: ArrayLike | None = None,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    cell_clip: float | None = None,
    num_threads: int = 1,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
def additive_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, v: ArrayLike, num_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
def dot_attention(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, num_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...

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
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...

# Layers: csrc/layers.

def limit_threads(num_threads: int) -> None: ...

class BuildSettings:
    def __init__(
        self,
        *,
        precision: str = "float32",
        cache_precision: str = "float32",
        num_threads: int = 1,
    ) -> None: ...
    @property
    def precision(self) -> str: ...
    @property
    def cache_precision(self) -> str: ...
    @property
    def num_threads(self) -> int: ...
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
    def __init__(self, frequencies: ArrayLike, *, factor: float = 1.0) -> None: ...

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

# Models: csrc/models.

class Encoded:
    def __len__(self) -> int: ...
    def length(self, sentence: int) -> int: ...
    def hidden_states(self, sentence: int) -> Floats: ...

class State:
    keep_attention: bool
    keep_attentions: bool
    @overload
    def add(self, encoded: Encoded) -> Ints: ...
    @overload
    def add(self, count: int) -> Ints: ...
    def fork(self, sequences: Sequence[int] | Ints) -> Ints: ...
    def drop(self, sequences: Sequence[int] | Ints) -> None: ...
    def reorder(self, sequences: Sequence[int] | Ints, parents: Sequence[int] | Ints) -> Ints: ...
    def truncate(self, sequence: int, length: int) -> None: ...
    def length(self, sequence: int) -> int: ...
    @property
    def live(self) -> int: ...
    @property
    def attention(self) -> Floats: ...
    @property
    def attentions(self) -> tuple[Floats, Floats]: ...

class Decoder:
    num_threads: int
    def step(
        self,
        tokens: ArrayLike,
        sequences: ArrayLike,
        state: State,
        want: ArrayLike | None = None,
    ) -> Floats: ...
    def new_state(self) -> State: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def max_positions(self) -> int: ...
    @property
    def cache_precision(self) -> str | None: ...

class Seq2Seq(Decoder):
    def encode(self, tokens: ArrayLike, lengths: ArrayLike) -> Encoded: ...
    @property
    def encoder_size(self) -> int: ...
    @property
    def source_vocab_size(self) -> int: ...
    @property
    def max_source_positions(self) -> int: ...

class Encoder:
    num_threads: int
    @property
    def vocab_size(self) -> int: ...
    @property
    def output_size(self) -> int: ...
    @property
    def max_positions(self) -> int: ...
    def hidden_states(self, tokens: ArrayLike, lengths: ArrayLike) -> Floats: ...
    def encode(self, tokens: ArrayLike, lengths: ArrayLike, pooling: str) -> Floats: ...

class RnnEncoder(Encoder):
    def __init__(
        self,
        *,
        embedding: Embedding,
        layers: Sequence[RnnLayer],
        pooling_query: ArrayLike | None = None,
        all_states: bool = False,
    ) -> None: ...
    def new_state(self, sentences: int = 1) -> RnnEncoderState: ...
    def states_after(
        self, tokens: ArrayLike, lengths: ArrayLike, state: RnnEncoderState
    ) -> Floats: ...

class RnnEncoderState: ...

class WindowDecoder(Decoder):
    def __init__(
        self,
        *,
        encoder: Encoder,
        output: Linear,
        window: int,
        padding: int | None = None,
        pooling: str,
    ) -> None: ...

class RnnDecoder(Decoder):
    def __init__(
        self,
        *,
        embedding: Embedding,
        cells: Sequence[Cell],
        output: Linear,
        attention: AttentionScore | None = None,
        transition: Cell | None = None,
        readout: Linear | None = None,
        query_previous: bool = False,
        input_feeding: bool = False,
        readout_inputs: Sequence[str] = ["hidden"],
        readout_activation: str = "none",
        encoder_size: int = 0,
        with_source: bool = False,
    ) -> None: ...

class Bridge:
    def __init__(
        self,
        *,
        input: str,
        hidden: Linear | None = None,
        cell: Linear | None = None,
        activation: str = "none",
        cell_start: str = "zero",
    ) -> None: ...

class RnnSeq2Seq(Seq2Seq):
    def __init__(self, *, encoder: RnnEncoder, bridge: Bridge, decoder: RnnDecoder) -> None: ...

class TransformerStack:
    def __init__(
        self,
        *,
        embedding: Embedding | None,
        max_positions: int,
        layers: Sequence[TransformerLayer],
        positions: ArrayLike | None = None,
        embedding_scale: float = 1.0,
        embedding_norm: Norm | None = None,
        projection: Linear | None = None,
        final_norm: Norm | None = None,
    ) -> None: ...

class TransformerEncoder(Encoder):
    def __init__(
        self, stack: TransformerStack, *, pooling_query: ArrayLike | None = None
    ) -> None: ...
    def attentions(self, tokens: ArrayLike) -> Floats: ...

class TransformerDecoder(Decoder):
    def __init__(
        self,
        stack: TransformerStack,
        output: Linear,
        *,
        settings: BuildSettings,
        logit_cap: float = 0.0,
    ) -> None: ...

class TransformerSeq2Seq(Seq2Seq):
    def __init__(self, *, encoder: TransformerEncoder, decoder: TransformerDecoder) -> None: ...
    @property
    def encoder(self) -> TransformerEncoder: ...

class Convolution:
    def __init__(self, linear: Linear, *, stride: int = 1) -> None: ...

class SpeechEncoder:
    def __init__(
        self, *, convolutions: Sequence[Convolution], activation: str, stack: TransformerStack
    ) -> None: ...

class SpeechSeq2Seq(Decoder):
    def __init__(self, *, encoder: SpeechEncoder, decoder: TransformerDecoder) -> None: ...
    def encode(self, frames: ArrayLike, lengths: ArrayLike) -> Encoded: ...
    @property
    def num_mels(self) -> int: ...
    @property
    def max_frames(self) -> int: ...
    @property
    def encoder_size(self) -> int: ...

# Search: csrc/decoding.

class SearchOptions: ...

class BeamSearchOptions(SearchOptions):
    def __init__(self, **kwargs: object) -> None: ...
    @property
    def num_hypotheses(self) -> int: ...
    @property
    def rules(self) -> list[Rule]: ...
    @property
    def beam_size(self) -> int: ...
    @property
    def num_candidates(self) -> int | None: ...
    @property
    def length_penalty(self) -> float: ...
    @property
    def stopping(self) -> str: ...

class SamplingOptions(SearchOptions):
    def __init__(self, **kwargs: object) -> None: ...
    @property
    def num_hypotheses(self) -> int: ...
    @property
    def rules(self) -> list[Rule]: ...
    @property
    def temperature(self) -> float: ...
    @property
    def top_k(self) -> int: ...
    @property
    def seed(self) -> int | None: ...

class Rule: ...

def make_rule(
    name: str, value: object, end_tokens: Sequence[int] | NDArray[np.integer]
) -> Rule: ...
def rule_names() -> list[str]: ...

class NewSentence:
    def __init__(
        self,
        *,
        number: int,
        options: SearchOptions,
        past: Sequence[int] | NDArray[np.integer],
        max_new_tokens: int,
        source: Sequence[int] | NDArray[np.integer] = ...,
    ) -> None: ...
    @property
    def number(self) -> int: ...

class SearchHypothesis:
    @property
    def tokens(self) -> list[int]: ...
    @property
    def score(self) -> float: ...
    @property
    def log_prob(self) -> float: ...
    @property
    def token_log_probs(self) -> list[float]: ...
    @property
    def rows(self) -> list[int]: ...
    @property
    def finish_reason(self) -> str: ...

class Search:
    def __init__(
        self,
        vocab_size: int | None = None,
        num_threads: int = 1,
        *,
        fail_apart: bool = False,
    ) -> None: ...
    @property
    def tokens(self) -> Ints: ...
    @property
    def parents(self) -> Ints: ...
    @property
    def sentences(self) -> Ints: ...
    @property
    def lengths(self) -> Ints: ...
    @property
    def done(self) -> bool: ...
    @property
    def ended(self) -> list[int]: ...
    @property
    def failed(self) -> list[tuple[int, str]]: ...
    def add(self, sentences: Sequence[NewSentence]) -> None: ...
    def drop(self, sentence: int) -> None: ...
    def advance(self, logits: Floats) -> None: ...
    def hypotheses(self, sentence: int) -> list[SearchHypothesis]: ...
    def tree(self, sentence: int) -> tuple[Ints, Ints, NDArray[np.float64], NDArray[np.bool_]]: ...
    def finished(self, sentence: int) -> bool: ...
    def stable(self, sentence: int) -> list[int]: ...
