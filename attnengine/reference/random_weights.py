"""Names, shapes and random values of the weights of every architecture.

Tests and golden files use these weights: the same config and seed give the same arrays.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from attnengine.reference.rnn import NUM_GATES
from attnengine.reference.transformer_shapes import (
    Shapes,
    dense_shapes,
    gpt2_shapes,
    is_tied,
    llama_shapes,
    marian_shapes,
    prefixed,
    t5_shapes,
    transformer_lm_shapes,
    transformer_shapes,
    whisper_shapes,
)
from attnengine.reference.weights import Config

NORMS = ("norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight", "layernorm_embedding.weight")


def rnn_shapes(
    config: Config, size: int, hidden: int, num_layers: int, bidirectional: bool = False
) -> Shapes:
    """The weights of ``torch.nn.RNN``, ``GRU`` or ``LSTM`` with inputs of length size.

    The config's key "cell" names the cell. Peepholes (3 * hidden,) belong to the gates i, f and o.
    """
    gates, shapes = NUM_GATES[config["cell"]] * hidden, Shapes()
    projection = config.get("projection_size")
    out = projection or hidden
    suffixes = ("", "_reverse") if bidirectional else ("",)
    for k in range(num_layers):
        separate = config.get("separate_directions", False)
        below = out * (1 if separate else len(suffixes)) if k else size
        for suffix in suffixes:
            shapes[f"weight_ih_l{k}{suffix}"] = (gates, below)
            shapes[f"weight_hh_l{k}{suffix}"] = (gates, out)
            shapes[f"bias_ih_l{k}{suffix}"] = (gates,)
            shapes[f"bias_hh_l{k}{suffix}"] = (gates,)
            if projection:
                shapes[f"weight_hr_l{k}{suffix}"] = (projection, hidden)
            if config.get("peepholes"):
                shapes[f"peephole_l{k}{suffix}"] = (3 * hidden,)
    return shapes


def rnn_lm_shapes(config: Config) -> Shapes:
    """Architecture "rnn_lm"."""
    vocab, hidden = config["vocab_size"], config["hidden_size"]
    embedding = config["embedding_size"]
    shapes: Shapes = {"embedding.weight": (vocab, embedding), "output.bias": (vocab,)}
    if not config["tied_output"]:
        shapes["output.weight"] = (vocab, config.get("projection_size") or hidden)
    layers = rnn_shapes(config, embedding, hidden, config["num_layers"])
    return shapes | prefixed("rnn.", layers)


def states_size(config: Config) -> int:
    """The size of a state of architectures "rnn_encoder" and "rnn_window_lm"."""
    out = config.get("projection_size") or config["hidden_size"]
    layer = int(out * (2 if config["bidirectional"] else 1))
    if config.get("states", "top") == "top":
        return layer
    return int(config["embedding_size"]) + int(config["num_layers"]) * layer


def rnn_encoder_shapes(config: Config) -> Shapes:
    """Architecture "rnn_encoder"."""
    embedding, hidden = config["embedding_size"], config["hidden_size"]
    bidirectional = config["bidirectional"]
    shapes: Shapes = {"embedding.weight": (config["vocab_size"], embedding)}
    if config["pooling"] == "attention":
        shapes["pooling.query"] = (states_size(config),)
    layers = rnn_shapes(config, embedding, hidden, config["num_layers"], bidirectional)
    return shapes | prefixed("rnn.", layers)


def rnn_window_lm_shapes(config: Config) -> Shapes:
    """Architecture "rnn_window_lm"."""
    output = dense_shapes("output", config["vocab_size"], states_size(config))
    return rnn_encoder_shapes(config) | output


def encoder_size(config: Config) -> int:
    """The size of an encoder state of architecture "rnn_seq2seq"."""
    return int(config["encoder_hidden_size"] * (2 if config["bidirectional"] else 1))


def bridge_shapes(config: Config) -> Shapes:
    """The bridge of architecture "rnn_seq2seq"."""
    if config["bridge_activation"] == "none" or config["bridge_input"] == "zero":
        return {}
    out, size = config["decoder_hidden_size"], encoder_size(config)
    if config["bridge_input"] == "final":
        out, size = out * config["decoder_num_layers"], size * config["encoder_num_layers"]
    shapes = dense_shapes("bridge.hidden", out, size)
    if config["cell"] == "lstm" and config["bridge_cell"] == "own":
        shapes |= dense_shapes("bridge.cell", out, size)
    return shapes


def attention_shapes(config: Config) -> Shapes:
    """The weights below ``decoder.attention.`` of architecture "rnn_seq2seq"."""
    size, hidden = encoder_size(config), config["decoder_hidden_size"]
    kind, attention_size = config["attention"], config["attention_size"]
    if kind == "additive":
        query = dense_shapes("query", attention_size, hidden)
        key = dense_shapes("key", attention_size, size)
        return query | key | {"vector": (attention_size,)}
    if kind == "concat":
        return dense_shapes("concat", attention_size, hidden + size) | {"vector": (attention_size,)}
    return dense_shapes("query", size, hidden) if kind == "general" else {}


def rnn_seq2seq_shapes(config: Config) -> Shapes:
    """Architecture "rnn_seq2seq"."""
    source, target = config["source_embedding_size"], config["target_embedding_size"]
    hidden, context = config["decoder_hidden_size"], encoder_size(config)
    parts = {"hidden": hidden, "context": context, "embedding": target}
    readout = sum(parts[name] for name in config["readout_inputs"])
    query = "" if config["attention"] == "none" else config["attention_query"]
    cell_input = target + (context if query == "previous" else 0)
    shapes: Shapes = {
        "encoder.embedding.weight": (config["source_vocab_size"], source),
        "decoder.embedding.weight": (config["target_vocab_size"], target),
    }
    if config["readout_activation"] != "none":
        pieces = 2 if config["readout_activation"] == "maxout" else 1
        shapes |= dense_shapes("decoder.readout", pieces * config["readout_size"], readout)
        readout = config["readout_size"]
    shapes |= dense_shapes("decoder.output", config["target_vocab_size"], readout)
    if config["tied_output"]:
        del shapes["decoder.output.weight"]
    if config["input_feeding"]:
        cell_input += readout
    layers = config["encoder_num_layers"]
    encoder = rnn_shapes(
        config, source, config["encoder_hidden_size"], layers, config["bidirectional"]
    )
    decoder = rnn_shapes(config, cell_input, hidden, config["decoder_num_layers"])
    shapes |= prefixed("encoder.rnn.", encoder) | prefixed("decoder.rnn.", decoder)
    if query == "between":
        shapes |= prefixed("decoder.transition.", rnn_shapes(config, context, hidden, 1))
    return shapes | bridge_shapes(config) | prefixed("decoder.attention.", attention_shapes(config))


SHAPES: dict[str, Callable[[Config], Shapes]] = {
    "gpt2": gpt2_shapes,
    "llama": llama_shapes,
    "marian": marian_shapes,
    "mistral": llama_shapes,
    "mixtral": llama_shapes,
    "qwen2": llama_shapes,
    "rnn_encoder": rnn_encoder_shapes,
    "rnn_lm": rnn_lm_shapes,
    "rnn_seq2seq": rnn_seq2seq_shapes,
    "mt5": t5_shapes,
    "t5": t5_shapes,
    "rnn_window_lm": rnn_window_lm_shapes,
    "transformer": transformer_shapes,
    "umt5": t5_shapes,
    "transformer_lm": transformer_lm_shapes,
    "whisper": whisper_shapes,
}


def weight_shapes(config: Config) -> Shapes:
    """Return the shape of every weight of a config by canonical name, optional biases included.

    Raises ValueError for an unknown architecture.
    """
    architecture = config["architecture"]
    if architecture not in SHAPES:
        raise ValueError(f"architecture is {architecture!r}, expected one of {sorted(SHAPES)}")
    return SHAPES[architecture](config)


def spread(name: str, shape: tuple[int, ...], tied: bool) -> float:
    """Return the standard deviation of a weight; different inputs must give different logits."""
    root = math.sqrt(shape[-1])
    if "embed" in name or "shared" in name or "wte" in name:
        return 2.0 / root if tied else 1.0
    if name.endswith(("output.weight", "lm_head.weight")):
        return 3.0 / root
    if len(shape) == 1:  # biases and norms are small, attention vectors and queries are not
        return 1.0 if name.endswith(("vector", "pooling.query")) else 0.2
    return 1.0 / root


def random_weights(config: Config, seed: int) -> dict[str, NDArray[np.float32]]:
    """Return normally distributed float32 weights for a config.

    A weight depends only on its name and shape, the seed and whether the output is tied. A config
    with one more layer therefore has the same values in the other layers. The mean is 1 for
    weights of norms and 0 for others.
    """
    tied = is_tied(config)
    weights = {}
    for name, shape in weight_shapes(config).items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        centre = 1.0 if name.endswith(NORMS) else 0.0
        values = centre + spread(name, shape, tied) * rng.standard_normal(shape)
        weights[name] = values.astype(np.float32)
    return weights
