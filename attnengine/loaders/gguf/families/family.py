"""The declaration of a GGUF architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attnengine.loaders.shared.renaming import Table


@dataclass(frozen=True)
class Family:
    """The translation of an architecture's files to transformers' keys and names.

    model_type: name of the family in transformers.
    keys: metadata below the architecture -> key of config.json.
    table: renaming table of weights.
    given: keys of config.json that every such file implies.
    switches: key of config.json -> tensor; the key is true if the file has the tensor.
    sizes: key of config.json -> tensor; the key is the tensor's number of rows.
    ignored: metadata below the architecture that repeats facts of the tensors.
    unused: pattern of names of tensors that attnengine does not load.
    wide_scores: numbers of layers of models that divide scores by sqrt(hidden_size / heads)
    instead of sqrt(head_dim). GGUF has no key for it; llama.cpp goes by the number of layers too.
    without: a tensor, and the family of files without this tensor.
    interleaved: pattern of names of weights with rows in interleaved rotary pairs.
    transposed: pattern of names of weights that are stored transposed.
    shifted: pattern of names of weights to which the converter added 1.
    """

    model_type: str
    keys: Mapping[str, str]
    table: Table
    given: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    unused: str | None = None
    wide_scores: frozenset[int] | None = None
    without: tuple[str, Family] | None = None
    interleaved: str | None = None
    transposed: str | None = None
    shifted: str | None = None


def block(name: str, canonical: str, start: str = "") -> tuple[str, tuple[str, ...]]:
    r"""Return a row of a table: ``\1`` is the number of the layer, ``\2`` is weight or bias."""
    return rf"{start}blk\.([0-9]{{1,3}})\.{name}\.(weight|bias)", (rf"{canonical}.\2",)


def module(name: str, canonical: str) -> tuple[str, tuple[str, ...]]:
    """Return a row of a table for a weight or bias outside the layers."""
    return rf"{name}\.(weight|bias)", (rf"{canonical}.\1",)


# Metadata below an architecture that says nothing, or repeats facts of the tensors.
IGNORED = frozenset(
    {
        "attention.causal",  # fixed in every supported architecture
        "rope.scaling.finetuned",
        "tensor_data_layout",  # order of rows of queries and keys, which is the same everywhere
        "vocab_size",
    }
)
# Rarely given metadata -> the only values that attnengine supports.
NEUTRAL: dict[str, tuple[object, ...]] = {
    "attention.sliding_window": (0,),
    "expert_count": (0,),
    "expert_used_count": (0,),
    "pooling_type": (0,),
}
# pooling_type -> pooling of an encoder; files without it do not pool
POOLINGS = {0: "mean", 1: "mean", 2: "first", 3: "last"}
