"""The config of a stack, which CTranslate2's encoder-decoders and language models share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.ctranslate2.settings import Settings
from attnengine.loaders.shared.derived import derived
from attnengine.loaders.shared.renaming import count_layers, matrix_shape

_MAX_POSITIONS = 1024  # sinusoids have no limit; CTranslate2 truncates sources here
_LAYER_NORM_EPS = 1e-5


def norm_eps(config: Mapping[str, Any], default: float = _LAYER_NORM_EPS) -> float:
    """Return the epsilon of norms; null is the default of the kind of norm."""
    eps = config["layer_norm_epsilon"]
    return default if eps is None else eps  # the architecture checks that it is a number


def stack(
    model: Model,
    settings: Settings,
    tensors: dict[str, Tensor],
    given: Mapping[str, Any],
    sides: Sequence[str],
) -> dict[str, Any]:
    """Return the config of layers and embeddings, which must be the same on all sides."""
    size = matrix_shape(model.path, tensors, "decoder.embed_tokens.weight")[1]
    wide = matrix_shape(model.path, tensors, "decoder.layers.0.fc1.weight")[0]
    heads = names.ENCODER_DECODERS.get(model.spec, 8)
    return {
        "hidden_size": size,
        "intermediate_size": wide,
        "num_layers": count_layers(tensors, r"decoder\.layers\.([0-9]+)\..*", model.path),
        "num_heads": int(settings.get("num_heads", heads)),
        "norm_placement": "pre" if settings.get("pre_norm", 1) else "post",
        "final_norm": "decoder.layer_norm.weight" in tensors,
        "norm_eps": norm_eps(given),
        "activation": settings.activation(),
        **_positions(model.path, tensors, sides),
        "embedding_norm": "decoder.layernorm_embedding.weight" in tensors,
        "scale_embeddings": _scale_embeddings(settings, tensors, size, sides),
    }


def _positions(path: Path, tensors: Mapping[str, Tensor], sides: Sequence[str]) -> dict[str, Any]:
    tables = [f"{side}.embed_positions.weight" for side in sides]
    given = [tensors[table].shape for table in tables if table in tensors]
    if not given:  # sinusoids; the first token has position 1
        return {
            "positions": "sinusoidal",
            "position_layout": "halves",
            "position_offset": 1,
            "max_positions": _MAX_POSITIONS,
        }
    if len(set(given)) != 1 or len(given) != len(sides) or len(given[0]) != 2:
        raise Unsupported(f"{path}: position encodings are {given}, expected alike on all sides")
    return {
        "positions": "learned",
        "position_layout": None,
        "position_offset": 0,
        "max_positions": given[0][0],
    }


def _scale_embeddings(
    settings: Settings, tensors: dict[str, Tensor], size: int, sides: Sequence[str]
) -> bool:
    """Return whether the embedding scale is sqrt(size); apply other factors to the weights."""
    factors = {side: settings.embedding_scale(side, size) for side in sides}
    if all(math.isclose(factor, math.sqrt(size), rel_tol=1e-6) for factor in factors.values()):
        return True
    for side, factor in factors.items():
        name = f"{side}.embed_tokens.weight"
        tensors[name] = _scaled(tensors[name], factor)
    return False


def tied(tensors: dict[str, Tensor], embedding: str, output: str = "lm_head.weight") -> bool:
    """Return whether the output layer is an embedding's variable; if so, delete its copy."""
    if tensors.get(output) is not tensors[embedding]:
        return False
    del tensors[output]
    return True


def _scaled(tensor: Tensor, factor: float) -> Tensor:
    if factor == 1.0:
        return tensor
    return derived([tensor], tensor.shape, lambda array: array * np.float32(factor))
