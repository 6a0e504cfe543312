"""The config that the metadata and the tensors of a GGUF file say, in transformers' spelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import huggingface
from attnengine.loaders.files import short
from attnengine.loaders.gguf.container import Container
from attnengine.loaders.names import gguf as names
from attnengine.loaders.names import huggingface as canonical

_ARCHITECTURE = "general.architecture"
# What a file is, and in how many parts it comes, where it says so.
_WHOLE: dict[str, tuple[object, ...]] = {"general.type": ("model",), "split.count": (0, 1)}
_EMBEDDING = "token_embd.weight"
_OUTPUT = "output.weight"
ROPE_FACTORS = "rope_freqs.weight"
_SCALING = "rope.scaling."
# Of rope.scaling -> of rope_scaling, for each type.
_SCALINGS: dict[str, dict[str, str]] = {
    "linear": {"factor": "factor"},
    "yarn": {
        "factor": "factor",
        "original_context_length": "original_max_position_embeddings",
        "yarn_beta_fast": "beta_fast",
        "yarn_beta_slow": "beta_slow",
    },
}


def family(file: Container) -> names.Family:
    """The family of a file; `Unsupported` names an architecture that attnengine does not have."""
    for key, known in _WHOLE.items():
        value = file.metadata.get(key, known[0])
        if isinstance(value, np.ndarray) or value not in known:
            raise Unsupported(f"{file.path}: {key} is {short(value)}, expected {known[-1]!r}")
    architecture = file.metadata.get(_ARCHITECTURE)
    found = names.FAMILIES.get(architecture) if isinstance(architecture, str) else None
    if found is None:
        expected = ", ".join(names.FAMILIES)
        raise Unsupported(
            f"{file.path}: {_ARCHITECTURE} is {short(architecture)}, expected one of {expected}"
        )
    if found.without and found.without[0] not in file.tensors:
        return found.without[1]
    return found


def read(file: Container, of: names.Family) -> dict[str, Any]:
    """Every key of the architecture, as a transformers folder would say it."""
    values = _Values(file)
    found = {key: values.take(name) for name, key in of.keys.items()}
    given = {**of.given, **{key: value for key, value in found.items() if value is not None}}
    for key, tensor in {"vocab_size": _EMBEDDING, **of.sizes}.items():
        given[key] = _rows(file, tensor)
    given["tie_word_embeddings"] = _OUTPUT not in file.tensors
    for key, tensor in of.switches.items():
        given[key] = tensor in file.tensors
    if "rope_theta" in of.given:
        given["rope_scaling"] = _rotary(file, values, given)
    if of.wide_scores is not None:
        given["query_pre_attn_scalar"] = _query_scale(of.wide_scores, given)
    known = canonical.FAMILIES[of.model_type]
    if known.kind == "encoder":
        given |= {"pooling": _pooling(values), "normalize": False}
    values.refuse_others(of.ignored)
    return {"architecture": of.model_type, **huggingface.normalised(file.path, given, known)}


class _Values:
    """Metadata below the architecture; what is left when all is read is not known."""

    def __init__(self, file: Container) -> None:
        self.path = file.path
        self.prefix = f"{file.metadata[_ARCHITECTURE]}."
        self.left = {
            key[len(self.prefix) :]: value
            for key, value in file.metadata.items()
            if key.startswith(self.prefix)
        }

    def take(self, key: str, default: Any = None) -> Any:
        """A number or text; an array must have the same for every layer."""
        value = self.left.pop(key, default)
        if isinstance(value, np.ndarray):
            if len(set(value.tolist())) != 1:
                raise Unsupported(
                    f"{self.path}: {self.prefix}{key} is {short(value.tolist())}, "
                    "expected the same for every layer"
                )
            value = value[0].item()
        return float(str(np.float32(value))) if isinstance(value, float) else value

    def refuse_others(self, ignored: frozenset[str]) -> None:
        for key, value in self.left.items():
            expected = names.NEUTRAL.get(key, ())
            neutral = isinstance(value, (int, str)) and value in expected
            if key in names.IGNORED | ignored or neutral:
                continue
            means = f"expected {expected[0]}" if expected else "which is not known"
            raise Unsupported(f"{self.path}: {self.prefix}{key} is {short(value)}, {means}")


def _rows(file: Container, name: str) -> int:
    if name not in file.tensors or len(file.tensors[name].shape) != 2:
        raise FormatError(f"{file.path}: the weight {name} is missing or no matrix")
    return file.tensors[name].shape[0]


def _query_scale(wide: frozenset[int], given: Mapping[str, Any]) -> Any:
    """What scores are divided by the square root of."""
    if given.get("num_hidden_layers") in wide:
        return given["hidden_size"] // given["num_attention_heads"]
    return given.get("head_dim")


def _pooling(values: _Values) -> str:
    value = values.take("pooling_type", 0)
    if value not in names.POOLINGS:
        expected = ", ".join(map(str, names.POOLINGS))
        raise Unsupported(
            f"{values.path}: {values.prefix}pooling_type is {short(value)}, expected one of "
            f"{expected}"
        )
    return names.POOLINGS[value]


def _rotary(file: Container, values: _Values, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """rope_scaling; the number of dimensions that turn must be that of a head."""
    key_dim = values.take("attention.key_length", given.get("head_dim"))
    heads, size = given.get("num_attention_heads"), given.get("hidden_size")
    if key_dim is None and isinstance(heads, int) and heads > 0 and isinstance(size, int):
        key_dim = size // heads
    for key in ("attention.value_length", "rope.dimension_count"):
        value = values.take(key, key_dim)
        if value != key_dim:
            raise Unsupported(
                f"{file.path}: {values.prefix}{key} is {short(value)}, expected {key_dim}, the "
                "size of a head"
            )
    return _factors(file, given) or _scaling(file.path, values)


def _scaling(path: Any, values: _Values) -> dict[str, Any] | None:
    kind = values.take(f"{_SCALING}type", "none")
    if kind == "none":
        return None
    if kind not in _SCALINGS:
        expected = ", ".join(("none", *_SCALINGS))
        raise Unsupported(
            f"{path}: {values.prefix}{_SCALING}type is {short(kind)}, expected one of {expected}"
        )
    found = {key: values.take(_SCALING + name) for name, key in _SCALINGS[kind].items()}
    return {"rope_type": kind, **{key: value for key, value in found.items() if value is not None}}


def _factors(file: Container, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Divisors of the frequencies, as Llama 3 has them: longrope with one set of them."""
    if ROPE_FACTORS not in file.tensors:
        return None
    factors = file.tensors[ROPE_FACTORS].read().reshape(-1).tolist()
    return {
        "rope_type": "longrope",
        "short_factor": factors,
        "long_factor": factors,
        "attention_factor": 1.0,
        "original_max_position_embeddings": given.get("max_position_embeddings"),
    }
