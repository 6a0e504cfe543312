"""What a GGUF architecture says in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attnengine.loaders.shared.renaming import Table


@dataclass(frozen=True)
class Family:
    """What an architecture's files say, in transformers' spelling.

    model_type: of transformers.
    keys: metadata below the architecture -> key of config.json.
    table: names of weights.
    given: keys of config.json that every such file implies.
    switches: key of config.json -> a tensor; true where the file has it.
    sizes: key of config.json -> a tensor; the number of its rows.
    ignored: metadata below the architecture that says what the tensors say too.
    unused: a pattern of names that are no weights of ours.
    wide_scores: numbers of layers of models that divide scores by sqrt(hidden_size / heads) and
    not by sqrt(head_dim). No file says so; llama.cpp knows it by the number of layers.
    without: a tensor, and the family of files that do not have it.
    interleaved: a pattern of names; these weights have their rows in interleaved rotary pairs.
    transposed: a pattern of names of weights that are stored transposed.
    shifted: a pattern of names of weights to which the converter added 1.
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
    r"""A row of a table: ``\1`` is the number of the layer, ``\2`` weight or bias."""
    return rf"{start}blk\.([0-9]{{1,3}})\.{name}\.(weight|bias)", (rf"{canonical}.\2",)


def module(name: str, canonical: str) -> tuple[str, tuple[str, ...]]:
    """A row of a table: a weight, with or without a bias, that stands outside of the layers."""
    return rf"{name}\.(weight|bias)", (rf"{canonical}.\1",)


# Metadata below an architecture that says nothing, or what the tensors say too.
IGNORED = frozenset(
    {
        "attention.causal",  # every architecture here has only one
        "rope.scaling.finetuned",
        "tensor_data_layout",  # how the rows of queries and keys stand, which never differs
        "vocab_size",
    }
)
# The only values that attnengine has of what most files do not mention.
NEUTRAL: dict[str, tuple[object, ...]] = {
    "attention.sliding_window": (0,),
    "expert_count": (0,),
    "expert_used_count": (0,),
    "pooling_type": (0,),
}
# What pooling_type means for an encoder; a file that does not say pools nothing.
POOLINGS = {0: "mean", 1: "mean", 2: "first", 3: "last"}
