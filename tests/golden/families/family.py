"""What a family says about its golden variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Config = Mapping[str, Any]

VOCAB = 60


def same(config: Config) -> dict[str, Any]:
    """Options of transformers' config class where they are our keys."""
    return dict(config)


_ROTARY = ("rope_theta", "partial_rotary_factor")


def rotary(config: Config) -> dict[str, Any]:
    """The same for families with rotary positions, whose keys version 5 renamed."""
    options = dict(config)
    scaling = options.pop("rope_scaling", None) or {"rope_type": "default"}
    moved = {key: options.pop(key) for key in _ROTARY if key in options}
    options["rope_parameters"] = scaling | moved
    return options


@dataclass(frozen=True)
class Family:
    """Tiny configs of a model_type.

    config_class, model_class: of transformers.
    base: our config without ``architecture``; variants: its changes by name.
    wrong: a variant and changes of its config that must not give the same outputs.
    options: our config as keyword arguments of config_class.
    model_type: where it is not the name of the file.
    prefix: of our names of the weights, where model_class has the model without its head.
    early: config.json of a variant as version 4 of transformers spelt it, without model_type.
    early_heads: prefixes of our names of weights, and what they were in version 4.
    derived: a part of the names of parameters that are no weights of ours, such as sinusoids.
    """

    config_class: str
    model_class: str
    base: Config
    variants: Mapping[str, Config]
    kind: Literal["decoder", "seq2seq", "encoder"] = "decoder"
    wrong: Sequence[tuple[str, Config]] = ()
    options: Callable[[Config], dict[str, Any]] = field(default=same)
    early: Mapping[str, Config] = field(default_factory=dict)
    early_heads: Mapping[str, str] = field(default_factory=dict)
    model_type: str | None = None
    prefix: str = ""
    derived: str | None = None
