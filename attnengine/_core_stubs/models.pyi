"""Models and the state of their sequences."""

from collections.abc import Sequence
from typing import overload

from numpy.typing import ArrayLike

from attnengine._core_stubs.arrays import Floats, Ints
from attnengine._core_stubs.layers import (
    AttentionScore,
    BuildSettings,
    Cell,
    Embedding,
    Linear,
    Norm,
    RnnLayer,
    TransformerLayer,
)

class Encoded:
    def __len__(self) -> int: ...
    def length(self, sentence: int) -> int: ...
    def hidden_states(self, sentence: int) -> Floats: ...

class State:
    keep_alignment: bool
    keep_all_attentions: bool
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
    def bytes_per_token(self) -> int: ...
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
