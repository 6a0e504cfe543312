"""Makes the config, with transformers' keys, from metadata and tensors of a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files.damage import short
from attnengine.loaders.gguf import families as names
from attnengine.loaders.gguf import rotary
from attnengine.loaders.gguf.container import Container
from attnengine.loaders.gguf.metadata import ARCHITECTURE, Metadata
from attnengine.loaders.huggingface import families as canonical
from attnengine.loaders.huggingface.config import normalised

# metadata key -> supported values: the file must be a whole model
_WHOLE: dict[str, tuple[object, ...]] = {"general.type": ("model",), "split.count": (0, 1)}
_EMBEDDING = "token_embd.weight"
_OUTPUT = "output.weight"


def family(file: Container) -> names.Family:
    """Return the family of a file; `Unsupported` names an architecture that attnengine lacks."""
    for key, known in _WHOLE.items():
        value = file.metadata.get(key, known[0])
        if isinstance(value, np.ndarray) or value not in known:
            raise Unsupported(f"{file.path}: {key} is {short(value)}, expected {known[-1]!r}")
    architecture = file.metadata.get(ARCHITECTURE)
    found = names.FAMILIES.get(architecture) if isinstance(architecture, str) else None
    if found is None:
        expected = ", ".join(names.FAMILIES)
        raise Unsupported(
            f"{file.path}: {ARCHITECTURE} is {short(architecture)}, expected one of {expected}"
        )
    while found.without and found.without[0] not in file.tensors:
        found = found.without[1]
    return found


def read(file: Container, of: names.Family) -> dict[str, Any]:
    """Return every key of the architecture, as in a transformers folder."""
    values, known = Metadata(file), canonical.FAMILIES[of.model_type]
    found = {key: values.take(name) for name, key in of.keys.items()}
    if found.get("sliding_window") == 0:
        found["sliding_window"] = None  # 0: no window
    given = {**of.given, **{key: value for key, value in found.items() if value is not None}}
    given["vocab_size"] = vocab_size(file)
    given |= {key: _rows(file, tensor) for key, tensor in of.sizes.items()}
    given["tie_word_embeddings"] = _OUTPUT not in file.tensors
    for key, tensor in of.switches.items():
        given[key] = tensor in file.tensors
    if "rope_theta" in of.given:
        partial = "partial_rotary_factor" in known.defaults
        given |= rotary.read(file, values, given, partial=partial)
    if of.wide_scores is not None:
        given["query_pre_attn_scalar"] = _query_scale(of.wide_scores, given)
    if known.kind == "encoder":
        given |= {"pooling": _pooling(values), "normalize": False}
    values.refuse_others(of.ignored)
    return {"architecture": of.model_type, **normalised(file.path, given, known)}


def vocab_size(file: Container) -> int:
    """Return the number of rows of the embedding."""
    return _rows(file, _EMBEDDING)


def _rows(file: Container, name: str) -> int:
    if name not in file.tensors or len(file.tensors[name].shape) != 2:
        raise FormatError(f"{file.path}: the weight {name} is missing or no matrix")
    return file.tensors[name].shape[0]


def _query_scale(wide: frozenset[int], given: Mapping[str, Any]) -> Any:
    """Return query_pre_attn_scalar: scores are divided by its square root."""
    if given.get("num_hidden_layers") in wide:
        return given["hidden_size"] // given["num_attention_heads"]
    return given.get("head_dim")


def _pooling(values: Metadata) -> str:
    value = values.take("pooling_type", 0)
    if value not in names.POOLINGS:
        expected = ", ".join(map(str, names.POOLINGS))
        raise values.unsupported("pooling_type", value, f"expected one of {expected}")
    return names.POOLINGS[value]
