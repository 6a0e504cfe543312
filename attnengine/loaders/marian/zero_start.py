"""Adds a start token for decoders that start from an embedding of zeros (Nematus, Marian).

The token follows the target vocabulary. Its embedding is zeros, and its logit is so low that its
probability is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import FormatError
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.marian.vocabularies import Sides
from attnengine.loaders.shared.derived import with_row

_NEVER = -1e9  # a logit

# architecture -> names of the target embedding and of the output layer
_PLACES = {
    "rnn_seq2seq": ("decoder.embedding", "decoder.output"),
    "transformer": ("decoder.embed_tokens", "lm_head"),
}


def checkpoint(
    path: Path, config: dict[str, Any], tensors: Mapping[str, Tensor], sides: Sides
) -> Checkpoint:
    """Return the model with the start token in config, weights and vocabularies."""
    start = config["target_vocab_size"]
    tokens = sides.with_start()
    config = {**config, "target_vocab_size": start + 1, **sides.config(start)}
    extended = _with_start(path, tensors, start, *_PLACES[config["architecture"]])
    return schema.checked(path, config, extended, tokens, sides.files)


def _with_start(
    path: Path, tensors: Mapping[str, Tensor], vocab_size: int, embedding: str, output: str
) -> dict[str, Tensor]:
    added = {f"{embedding}.weight": 0.0, f"{output}.weight": 0.0, f"{output}.bias": _NEVER}
    no_bias = Tensor.of("no bias", np.zeros(vocab_size, np.float32))
    result = {f"{output}.bias": no_bias, **tensors}
    for name in added.keys() & result.keys():
        tensor = result[name]
        if tensor.shape[:1] != (vocab_size,):
            raise FormatError(
                f"{path}: {tensor.name} is {tensor.shape}, expected {vocab_size} rows"
            )
        result[name] = with_row(tensor, added[name])
    return result
