"""RNN encoder-decoder, with attention (Bahdanau et al. 2015, Luong et al. 2015) or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.parts.rnn_cells import CellConfig, StackOptions, cell, encoder_layers, stack
from attnengine.models.parts.vocabulary import embedding, vocabulary_layers
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(CellConfig):
    """Sizes and switches; ``docs/export.md`` explains each."""

    source_vocab_size: int
    target_vocab_size: int
    source_embedding_size: int
    target_embedding_size: int
    encoder_hidden_size: int
    encoder_num_layers: int
    bidirectional: bool
    decoder_hidden_size: int
    decoder_num_layers: int
    bridge_input: Literal["zero", "final", "last", "mean"]
    bridge_activation: Literal["none", "linear", "tanh", "relu"]
    bridge_cell: Literal["own", "hidden", "zero"]
    attention: Literal["none", "additive", "dot", "general", "concat"]
    attention_size: int | None
    attention_query: Literal["previous", "between", "new"]
    input_feeding: bool
    readout_inputs: tuple[Literal["hidden", "context", "embedding"], ...]
    readout_activation: Literal["none", "linear", "tanh", "relu", "maxout"]
    readout_size: int | None
    tied_output: bool
    max_positions: None  # an RNN takes any length

    @property
    def encoder_size(self) -> int:
        """Size of an encoder state, both directions together."""
        return self.encoder_hidden_size * (2 if self.bidirectional else 1)

    @property
    def query_previous(self) -> bool:
        """Whether the query is the hidden state before the step."""
        return self.attention != "none" and self.attention_query == "previous"

    @property
    def parts_size(self) -> int:
        """Size of the readout's inputs, concatenated."""
        sizes = {
            "hidden": self.decoder_hidden_size,
            "context": self.encoder_size,
            "embedding": self.target_embedding_size,
        }
        return sum(sizes[part] for part in self.readout_inputs)

    @property
    def output_in_size(self) -> int:
        """Input size of the output layer."""
        return self.readout_size or self.parts_size


@register("rnn_seq2seq", config=Config)
def build(config: Config, weights: Weights) -> _core.RnnSeq2Seq:
    """Build from ``encoder.*``, ``bridge.*`` and ``decoder.*``."""
    check(config)
    return _core.RnnSeq2Seq(
        encoder=encoder(config, weights.under("encoder")),
        bridge=bridge(config, weights.under("bridge")),
        decoder=decoder(config, weights.under("decoder")),
    )


def check(config: Config) -> None:
    """Raise FormatError for switches that contradict each other."""
    wants_size = config.attention in ("additive", "concat")
    check_size(
        "attention_size", config.attention_size, wants_size, f"'attention' {config.attention!r}"
    )
    activation = config.readout_activation
    has_readout = activation != "none"
    check_size(
        "readout_size", config.readout_size, has_readout, f"'readout_activation' {activation!r}"
    )
    if config.input_feeding and (not has_readout or config.query_previous):
        expected = "false without a readout layer, and with 'attention_query' 'previous'"
        raise contradiction("input_feeding", True, expected)
    if config.attention_query == "between" and config.attention == "none":
        raise contradiction("attention_query", "between", "another without attention")
    if config.cell != "lstm" and config.bridge_cell != "zero":
        raise contradiction("bridge_cell", config.bridge_cell, f"'zero' for cell {config.cell!r}")
    if config.projection_size:
        raise contradiction("projection_size", config.projection_size, "null")
    inputs = list(config.readout_inputs)
    if "context" in inputs and config.attention == "none":
        raise contradiction("readout_inputs", inputs, "no 'context' without attention")
    if len(set(inputs)) != len(inputs):
        raise contradiction("readout_inputs", inputs, "each part once")
    if config.tied_output and config.output_in_size != config.target_embedding_size:
        raise FormatError(
            f"config: 'tied_output' is true with an output layer that reads "
            f"{config.output_in_size} and 'target_embedding_size' "
            f"{config.target_embedding_size}, expected equal sizes"
        )


def check_size(key: str, size: int | None, wanted: bool, switch: str) -> None:
    """Raise FormatError unless a size is given exactly if a switch needs one."""
    if wanted != (size is not None):
        raise contradiction(key, size, f"{'a size' if wanted else 'null'} with {switch}")


def contradiction(key: str, value: object, expected: str) -> FormatError:
    """Return the error for a key that another key contradicts."""
    return FormatError(f"config: {key!r} is {value!r}, expected {expected}")


def encoder(config: Config, w: Weights) -> _core.RnnEncoder:
    """Build the encoder."""
    return _core.RnnEncoder(
        embedding=embedding(
            w, w.matrix("embedding.weight", config.source_vocab_size, config.source_embedding_size)
        ),
        layers=encoder_layers(
            config,
            w.under("rnn"),
            config.source_embedding_size,
            config.encoder_hidden_size,
            StackOptions(config.encoder_num_layers, config.bidirectional),
        ),
    )


def bridge(config: Config, w: Weights) -> _core.Bridge:
    """Build the bridge; ``final`` projects the states of all layers at once."""
    projected = config.bridge_activation != "none" and config.bridge_input != "zero"
    layers = config.decoder_num_layers if config.bridge_input == "final" else 1
    in_layers = config.encoder_num_layers if config.bridge_input == "final" else 1
    sizes = (layers * config.decoder_hidden_size, in_layers * config.encoder_size)
    return _core.Bridge(
        input=config.bridge_input,
        hidden=w.linear("hidden", *sizes) if projected else None,
        cell=w.linear("cell", *sizes) if projected and config.bridge_cell == "own" else None,
        activation=config.bridge_activation,
        cell_start=config.bridge_cell,
    )


def attention(config: Config, w: Weights) -> _core.AttentionScore | None:
    """Build the score: general is dot with a projected side, concat is additive with split weight.

    General projects the keys once per source: (W query) . key = query . (W.T key). With a bias it
    projects the query in every step. Projections are small and stay in float32, because a softmax
    magnifies their errors.
    """
    hidden, states, exact = config.decoder_hidden_size, config.encoder_size, "float32"
    if config.attention == "none":
        return None
    if config.attention == "dot":
        return _core.AttentionScore()
    if config.attention == "general":
        weight, bias = w.take("query.weight", states, hidden), w.get("query.bias", states)
        if bias is None:
            return _core.AttentionScore(key=w.pack(weight.T, precision=exact))
        return _core.AttentionScore(query=w.pack(weight, bias, precision=exact))
    size = config.attention_size or 0
    vector = w.take("vector", size)
    if config.attention == "additive":
        return _core.AttentionScore(
            query=w.linear("query", size, hidden, precision=exact),
            key=w.linear("key", size, states, precision=exact),
            vector=vector,
        )
    both = w.take("concat.weight", size, hidden + states)
    return _core.AttentionScore(
        query=w.pack(both[:, :hidden], w.get("concat.bias", size), precision=exact),
        key=w.pack(both[:, hidden:], precision=exact),
        vector=vector,
    )


def decoder(config: Config, w: Weights) -> _core.RnnDecoder:
    """Build the decoder."""
    target, output = target_layers(config, w)
    hidden = config.decoder_hidden_size
    feed = (config.readout_size or 0) if config.input_feeding else 0
    context = config.encoder_size if config.query_previous else 0
    return _core.RnnDecoder(
        embedding=target,
        cells=stack(
            config,
            w.under("rnn"),
            config.target_embedding_size + feed + context,
            hidden,
            config.decoder_num_layers,
        ),
        attention=attention(config, w.under("attention")),
        transition=cell(config, w.under("transition"), "l0", config.encoder_size, hidden)
        if config.attention_query == "between"
        else None,
        readout=readout(config, w),
        output=output,
        query_previous=config.query_previous,
        input_feeding=config.input_feeding,
        readout_inputs=list(config.readout_inputs),
        readout_activation=config.readout_activation,
        encoder_size=config.encoder_size,
        with_source=True,
    )


def readout(config: Config, w: Weights) -> _core.Linear | None:
    """Build the layer below the output; the file has units of one maxout group as neighbours."""
    if config.readout_size is None:
        return None
    if config.readout_activation != "maxout":
        return w.linear("readout", config.readout_size, config.parts_size)
    units = 2 * config.readout_size
    weight, bias = w.take("readout.weight", units, config.parts_size), w.get("readout.bias", units)
    order = [*range(0, units, 2), *range(1, units, 2)]
    return w.pack(weight[order], None if bias is None else bias[order])


def target_layers(config: Config, w: Weights) -> tuple[_core.Embedding, _core.Linear]:
    """Build the embedding of the target and the output layer, which may share a weight."""
    size = config.target_vocab_size
    return vocabulary_layers(
        w,
        w.matrix("embedding.weight", size, config.target_embedding_size),
        None if config.tied_output else w.matrix("output.weight", size, config.output_in_size),
        w.get("output.bias", size),
    )
