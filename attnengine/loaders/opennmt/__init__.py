"""OpenNMT-py's checkpoints, or archives of their options, vocabularies and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.files import pickles
from attnengine.loaders.files.damage import short
from attnengine.loaders.files.text import token_list
from attnengine.loaders.files.torch_storages import named_tensors
from attnengine.loaders.opennmt import architectures, names
from attnengine.loaders.shared.renaming import rename


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

    vocab has the tokens as lists "src" and "tgt". It may have "src_stoi" and "tgt_stoi", the ids
    that OpenNMT-py gives tokens: a duplicate token must have its last id.
    """
    if not isinstance(options, dict) or not isinstance(vocab, dict):
        raise FormatError(f"{path}: opt and vocab are not tables")
    transformer = options.get("encoder_type") == options.get("decoder_type") == "transformer"
    _check_options(path, options, *_KNOWN[transformer])
    tokens = {side: _tokens(path, vocab, key) for side, key in _SIDES.items()}
    table = names.TRANSFORMER_TABLE if transformer else names.RNN_TABLE
    renamed = rename(weights, table, path)
    architecture = architectures.transformer if transformer else architectures.rnn
    config, tensors = architecture(path, options, renamed)
    config |= _special_ids(path, options, tokens)
    return schema.checked(path, config, tensors, tokens)


_SIDES = {"source": "src", "target": "tgt"}

# Required options, and supported values of options, of RNNs and of Transformers.
_KNOWN = (
    (("rnn_type", "global_attention", "input_feed"), names.RNN_OPTIONS),
    (("heads", "position_encoding"), names.TRANSFORMER_OPTIONS),
)


def _special_ids(
    path: Path, options: Mapping[str, Any], tokens: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return special ids: the decoder starts from <s> or version 3's token; sources get none."""
    last = {side: {token: i for i, token in enumerate(tokens[side])} for side in tokens}
    start = options.get("decoder_start_token", names.BOS)
    for token in (start, names.EOS):
        if not isinstance(token, str) or token not in last["target"]:
            raise FormatError(f"{path}: the target vocabulary has no {short(token)}")
    special: dict[str, list[int | None]] = {}
    for side in _SIDES:
        # In training, words outside the vocabulary became id 0, torchtext's default. It is the
        # first <unk>, even if a second one follows.
        first = tokens[side].index(names.UNK) if names.UNK in last[side] else None
        special[side] = [last[side].get(name) for name in (names.BOS, names.EOS, names.PAD)]
        special[side].append(first)
    return schema.seq2seq_tokens(
        dict.fromkeys(_SIDES, "words"),
        start=last["target"][start],
        source=special["source"],
        target=special["target"],
    )


def _check_options(
    path: Path,
    options: Mapping[str, Any],
    needed: Sequence[str],
    known: Mapping[str, tuple[object, ...]],
) -> None:
    for option in needed:
        if option not in options:
            raise FormatError(f"{path}: the option {option} is missing")
    for option, supported in known.items():
        value = options.get(option, supported[-1])
        if not isinstance(value, (str, int, float, type(None))) or value not in supported:
            expected = " or ".join(repr(one) for one in supported)
            raise Unsupported(f"{path}: the option {option} is {short(value)}, expected {expected}")


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
    """Return tokens and ids from every layout of OpenNMT-py's vocabularies."""
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
