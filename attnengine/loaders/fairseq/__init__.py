"""fairseq's checkpoints of LSTM encoder-decoders, with dict.*.txt beside them.

The decoder starts from the encoder's final states and the end token. Attention reads the new
hidden state. The readout tanh(W [context; hidden]) feeds the next step and the output layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.fairseq import names
from attnengine.loaders.files import pickles
from attnengine.loaders.files.text import VOCABULARY_LIMIT, read_text
from attnengine.loaders.files.torch_storages import named_tensors
from attnengine.loaders.shared.derived import block_diagonal, derived
from attnengine.loaders.shared.options import Options
from attnengine.loaders.shared.renaming import matrix_shape, rename
from attnengine.loaders.shared.sizes import rnn_sizes


def from_checkpoint(path: Path, content: Mapping[Any, Any]) -> Checkpoint:
    """Read the content of a checkpoint: model, and options as args or, from 0.11 on, cfg."""
    options = _options(path, content)
    architecture = options.text("arch", "lstm")
    if architecture not in names.ARCHITECTURES:
        expected = " or ".join(map(repr, names.ARCHITECTURES))
        raise Unsupported(f"{path}: the option arch is {architecture!r:.80}, expected {expected}")
    options.only(names.ONLY)
    renamed = rename(named_tensors(path, content["model"]), names.TABLE, path)
    sizes = rnn_sizes(path, renamed)
    weights = _one_output(path, _whole_bridge(path, renamed, sizes["decoder_num_layers"]))
    weights = _with_readout(weights, sizes["decoder_hidden_size"])
    tokens = _dictionaries(path, options)
    config = {**_architecture(sizes, weights), **_special_ids(bool(tokens))}
    return schema.checked(path, config, weights, tokens)


def _options(path: Path, content: Mapping[Any, Any]) -> Options:
    """Return the options of task and model of any version in one table."""
    found = content.get("cfg") or content.get("args")
    parts = [found.get("task"), found.get("model")] if isinstance(found, dict) else [found]
    values: dict[Any, Any] = {}
    for part in parts:
        values |= part.attributes() if isinstance(part, pickles.Inert) else part or {}
    return Options.of(str(path), values)


def _architecture(sizes: Mapping[str, Any], weights: Mapping[str, Tensor]) -> dict[str, Any]:
    attends = "decoder.attention.query.weight" in weights
    bridged = "bridge.hidden.weight" in weights
    return {
        "architecture": "rnn_seq2seq",
        **sizes,
        "cell": "lstm",
        "nonlinearity": "tanh",
        "bridge_input": "final",
        "bridge_activation": "linear" if bridged else "none",
        "bridge_cell": "own",
        "attention": "general" if attends else "none",
        "attention_size": None,
        "attention_query": "new",
        "input_feeding": True,
        "readout_inputs": ["context", "hidden"] if attends else ["hidden"],
        "readout_activation": "tanh" if attends else "linear",
        "readout_size": sizes["decoder_hidden_size"],
        "tied_output": "decoder.output.weight" not in weights,
        "max_positions": None,
    }


def _special_ids(words: bool) -> dict[str, Any]:
    """Return config keys: a source ends with the end token, and a target starts from it."""
    special = (names.BOS_ID, names.EOS_ID, names.PAD_ID, names.UNK_ID)
    kinds = dict.fromkeys(("source", "target"), "words" if words else "none")
    found = schema.seq2seq_tokens(
        kinds, start=names.EOS_ID, source=special, target=special, add_source_eos=True
    )
    return {**found, "suppress_tokens": [names.PAD_ID]}


def _whole_bridge(path: Path, tensors: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Repeat the bridge's layer on a diagonal, because it reads each encoder layer separately."""
    return {
        name: block_diagonal([tensor] * layers, path) if name.startswith("bridge.") else tensor
        for name, tensor in tensors.items()
    }


def _one_output(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Multiply additional_fc, a layer between readout and output, into the output layer."""
    whole = dict(tensors)
    if "additional.weight" not in whole:
        return whole
    place = "decoder.output" if "decoder.output.weight" in whole else "decoder.embedding"
    output, inner = whole[f"{place}.weight"], whole.pop("additional.weight")
    vocab_size, size = matrix_shape(path, whole, f"{place}.weight")
    hidden = inner.shape[-1:]
    _expect_shape(path, inner, (size, *hidden))
    whole["decoder.output.weight"] = derived(
        [output, inner], (vocab_size, *hidden), lambda outer, w: outer @ w
    )
    shift, bias = whole.pop("additional.bias", None), whole.get("decoder.output.bias")
    if shift is not None:
        _expect_shape(path, shift, (size,))
        terms = [output, shift]
        if bias is not None:
            _expect_shape(path, bias, (vocab_size,))
            terms.append(bias)
        whole["decoder.output.bias"] = derived(
            terms, (vocab_size,), lambda outer, b, *more: sum(more, outer @ b)
        )
    return whole


def _expect_shape(path: Path, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tensor.shape != shape:
        raise FormatError(f"{path}: {tensor.name} is {tensor.shape}, expected {shape}")


def _with_readout(tensors: Mapping[str, Tensor], hidden: int) -> dict[str, Tensor]:
    """Add an identity readout, because without attention the hidden state itself is fed back."""
    if "decoder.attention.query.weight" in tensors:
        return dict(tensors)
    same = Tensor.of("identity", np.eye(hidden, dtype=np.float32))
    return {**tensors, "decoder.readout.weight": same}


def _dictionaries(path: Path, options: Options) -> dict[str, list[str]]:
    """Read the tokens of both sides if their dictionaries lie beside the file."""
    files = {}
    for side in ("source", "target"):
        name = f"dict.{options.text(f'{side}_lang', '')}.txt"
        files[side] = path.with_name(Path(name).name)
    if not any(file.is_file() for file in files.values()):
        return {}
    return {side: _dictionary(file) for side, file in files.items()}


def _dictionary(file: Path) -> list[str]:
    """Read a dictionary: lines of token, count and flags, in the order of their ids."""
    tokens = list(names.SPECIAL)
    for line in read_text(file, VOCABULARY_LIMIT).removesuffix("\n").split("\n"):
        token, space, count = line.rstrip().removesuffix(" #fairseq:overwrite").rpartition(" ")
        if not space or not count.isdecimal():
            raise FormatError(f"{file}: {line!r:.80} is no token with its count")
        tokens.append(token)
    return tokens
