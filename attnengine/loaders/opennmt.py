"""RNN encoder-decoders of OpenNMT-py, from its checkpoints or from an archive of them.

The model (Luong et al. 2015 with input feeding, as OpenNMT-py has it): the decoder
starts from the encoder's final states, directions concatenated; attention reads the
new hidden state; readout = tanh(W [context; hidden]), without tanh for "mlp".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import pickles, schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor, vocabularies
from attnengine.loaders.derived import vector
from attnengine.loaders.files import short, token_list
from attnengine.loaders.names import opennmt as names
from attnengine.loaders.names import rename
from attnengine.loaders.rnn_sizes import rnn_sizes
from attnengine.loaders.storages import named_tensors


def from_checkpoint(path: Path, content: Mapping[str, Any]) -> Checkpoint:
    """Read what torch.save wrote: model, generator, vocab and opt."""
    weights = {
        **named_tensors(path, content["model"]),
        **named_tensors(path, content["generator"], "generator."),
    }
    options = content["opt"]
    if isinstance(options, pickles.Inert):
        options = options.attributes()
    return read(path, weights, options, _vocab_lists(path, content["vocab"]))


def read(path: Path, weights: Mapping[str, Tensor], options: object, vocab: object) -> Checkpoint:
    """Join weights in OpenNMT-py's names with its options and its vocabularies.

    vocab has the tokens as lists "src" and "tgt", and may have "src_stoi" and "tgt_stoi",
    the ids that OpenNMT-py gives them, which must be the last of a token that stands twice.
    """
    if not isinstance(options, dict) or not isinstance(vocab, dict):
        raise FormatError(f"{path}: opt and vocab are not tables")
    _check_options(path, options)
    tokens = {side: _tokens(path, vocab, key) for side, key in _SIDES.items()}
    tensors = {
        name: vector(tensor) if re.fullmatch(names.VECTORS, name) else tensor
        for name, tensor in rename(weights, names.TABLE, path).items()
    }
    sizes = rnn_sizes(path, tensors)
    config = {**_architecture(path, options, tensors, sizes), **_special_ids(path, options, tokens)}
    schema.check(config, tokens, str(path))
    return Checkpoint(config, _whole_bridge(path, tensors, sizes), vocabularies(tokens), path)


_SIDES = {"source": "src", "target": "tgt"}


def _architecture(
    path: Path, options: Mapping[str, Any], tensors: Mapping[str, Tensor], sizes: Mapping[str, Any]
) -> dict[str, Any]:
    cell = names.CELLS[options["rnn_type"]]
    attention = names.ATTENTION[options["global_attention"] or "none"]
    feeding = bool(options["input_feed"])
    if attention == "none" and feeding:
        raise Unsupported(f"{path}: input_feed is 1 without attention, which has no readout")
    encoder, decoder = sizes["encoder_num_layers"], sizes["decoder_num_layers"]
    if encoder != decoder:
        raise Unsupported(
            f"{path}: {encoder} encoder layers and {decoder} decoder layers, expected as many"
        )
    return {
        "architecture": "rnn_seq2seq",
        **sizes,
        "cell": cell,
        "nonlinearity": "tanh",
        "bridge_input": "final",
        "bridge_activation": "relu" if "bridge.hidden.weight" in tensors else "none",
        "bridge_cell": "own" if cell == "lstm" else "zero",
        "input_feeding": feeding,
        **_attention(attention, sizes["decoder_hidden_size"]),
        "tied_output": False,  # a shared weight stands in the file twice
        "max_positions": None,
    }


def _attention(attention: str, hidden: int) -> dict[str, Any]:
    readout = {"none": "none", "additive": "linear"}.get(attention, "tanh")
    return {
        "attention": attention,
        "attention_size": hidden if attention == "additive" else None,
        "attention_query": "new",
        "readout_inputs": ["hidden"] if attention == "none" else ["context", "hidden"],
        "readout_activation": readout,
        "readout_size": None if attention == "none" else hidden,
    }


def _special_ids(
    path: Path, options: Mapping[str, Any], tokens: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The decoder starts from <s> or what version 3 says; the source is taken as it is."""
    last = {side: {token: i for i, token in enumerate(tokens[side])} for side in tokens}
    start = options.get("decoder_start_token", names.BOS)
    for token in (start, names.EOS):
        if not isinstance(token, str) or token not in last["target"]:
            raise FormatError(f"{path}: the target vocabulary has no {short(token)}")
    ids: dict[str, Any] = {
        "tokenizer": {"source": "words", "target": "words"},
        "decoder_start_token_id": last["target"][start],
        "add_source_bos": False,
        "add_source_eos": False,
    }
    for side, prefix in (("source", "source_"), ("target", "")):
        ids[f"{prefix}bos_token_id"] = last[side].get(names.BOS)
        ids[f"{prefix}eos_token_id"] = last[side].get(names.EOS)
        ids[f"{prefix}pad_token_id"] = last[side].get(names.PAD)
        # Words that are not in the vocabulary became id 0 in training, torchtext's default,
        # which is the first <unk>, also where a second one follows.
        first = tokens[side].index(names.UNK) if names.UNK in last[side] else None
        ids[f"{prefix}unk_token_id"] = first
    return ids


def _check_options(path: Path, options: Mapping[str, Any]) -> None:
    for option in ("rnn_type", "global_attention", "input_feed"):
        if option not in options:
            raise FormatError(f"{path}: the option {option} is missing")
    for option, supported in names.OPTIONS.items():
        value = options.get(option, supported[-1])
        if not isinstance(value, (str, int, float, type(None))) or value not in supported:
            expected = " or ".join(repr(known) for known in supported)
            raise Unsupported(f"{path}: the option {option} is {short(value)}, expected {expected}")
    if options["input_feed"] not in (0, 1):
        raise FormatError(f"{path}: input_feed is {short(options['input_feed'])}, expected 0 or 1")


def _tokens(path: Path, vocab: Mapping[str, Any], key: str) -> list[str]:
    tokens = token_list(vocab.get(key), f"{path}: vocab {key}")
    ids = vocab.get(f"{key}_stoi", {})
    if not isinstance(ids, dict):
        raise FormatError(f"{path}: vocab {key}_stoi is no table")
    for token, last in {token: i for i, token in enumerate(tokens)}.items():
        if ids.get(token, last) != last:
            raise FormatError(
                f"{path}: vocab {key} has {token!r:.80} last at {last}, but its id is "
                f"{short(ids[token])}"
            )
    return tokens


def _vocab_lists(path: Path, vocab: object) -> dict[str, object]:
    """Tokens and ids, from each of the forms that OpenNMT-py's vocabularies have had."""
    if isinstance(vocab, list):  # pairs of side and torchtext's Vocab, before version 0.9
        pairs = [pair for pair in vocab if isinstance(pair, tuple) and len(pair) == 2]
        vocab = {side: found for side, found in pairs if isinstance(side, str)}
    if not isinstance(vocab, dict):
        raise FormatError(f"{path}: vocab is no table of the two sides")
    lists: dict[str, object] = {}
    for side in _SIDES.values():
        found = _vocab(path, vocab.get(side), side)
        if isinstance(found, list):  # version 3
            lists[side] = found
        else:
            lists[side], lists[f"{side}_stoi"] = found.get("itos"), found.get("stoi", {})
    return lists


def _vocab(path: Path, found: Any, side: str) -> list[Any] | dict[Any, Any]:
    """Descend from a torchtext field, or a list of them, to its Vocab's attributes."""
    for _ in range(4):  # list of fields, multi-field, field, vocab
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return found
        if isinstance(found, list) and len(found) > 1:
            raise Unsupported(f"{path}: {side} has word features, {len(found)} fields")
        if isinstance(found, list) and isinstance(found[0], tuple) and len(found[0]) == 2:
            found = found[0][1]
        elif isinstance(found, pickles.Inert):
            attributes = found.attributes()
            if "itos" in attributes:
                return attributes
            found = attributes.get("fields", attributes.get("vocab"))
    raise FormatError(f"{path}: vocab {side} is none that OpenNMT-py writes")


def _whole_bridge(
    path: Path, tensors: Mapping[str, Tensor], sizes: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Give the bridge of a bidirectional encoder the shape of what it does.

    OpenNMT-py cuts the final states of all layers and directions into as many chunks as
    there are directions and puts each through the same layer.
    """
    size = sizes["encoder_num_layers"] * sizes["encoder_hidden_size"]  # of one chunk
    whole = dict(tensors)
    for name, tensor in tensors.items():
        if name.startswith("bridge.") and sizes["bidirectional"]:
            expected = (size,) * len(tensor.shape)
            if tensor.shape != expected or not expected:
                raise FormatError(f"{path}: {tensor.name} is {tensor.shape}, expected {size}")
            whole[name] = _repeated(tensor, 2)
    return whole


def _repeated(tensor: Tensor, times: int) -> Tensor:
    """Block-diagonal matrix, or vector, of as many copies."""

    def read() -> NDArray[np.float32]:
        block = np.eye(times) if len(tensor.shape) == 2 else np.ones(times)
        return np.kron(block, tensor.read()).astype(np.float32)

    return replace(tensor, shape=tuple(times * size for size in tensor.shape), read=read)
