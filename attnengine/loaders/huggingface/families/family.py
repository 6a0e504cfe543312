"""The declaration of a family."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["decoder", "seq2seq", "encoder", "speech"]


@dataclass(frozen=True)
class Tie:
    """A weight that files may hold under two names; it has no copy if all `switches` are true.

    Without switches it never has a copy.
    """

    kept: str
    copy: str
    switches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """The peculiarities of a model_type.

    prefix: prefix of the weights of the model without its head; files may lack it.
    heads: prefixes of the weights beside that model.
    defaults: transformers' defaults of keys that config.json may lack.
    buffers: pattern of names of tensors that attnengine does not load.
    renames: patterns in names of early files, and their replacements.
    unused: keys that are dropped with any value, because neither attnengine nor transformers
    reads them.
    rewrite: turns keys of other versions into those of `defaults`, in place.
    neutral: keys that are dropped if they have this value, the only one that attnengine supports;
    another value stays and is refused.
    spellings: key of early versions -> key now.
    inner: a key of config.json with an object that holds more keys of the model.
    part: the key of config.json that holds this model's config, if there are other parts.
    architecture: name of the model in `attnengine.models`, if it differs from the model_type.
    """

    prefix: str
    defaults: Mapping[str, Any]
    buffers: str
    unused: Collection[str] = ()
    rewrite: Callable[[dict[str, Any]], None] | None = None
    neutral: Mapping[str, Any] = field(default_factory=dict)
    ties: tuple[Tie, ...] = ()
    heads: tuple[str, ...] = ("lm_head.",)
    spellings: Mapping[str, str] = field(default_factory=dict)
    inner: str | None = None
    part: str | None = None
    architecture: str | None = None
    renames: tuple[tuple[str, str], ...] = ()
    kind: Kind = "decoder"


# A key of config.json in several families.
TIED_HEAD = "tie_word_embeddings"
NO_BUFFERS = r"(?!)"  # matches nothing
ROTARY_BUFFERS = r"\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$"
