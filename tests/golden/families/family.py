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


def rotary(config: Config) -> dict[str, Any]:
    """The same for families with rotary positions, whose keys version 5 renamed."""
    options = dict(config)
    scaling = options.pop("rope_scaling", None) or {"rope_type": "default"}
    options["rope_parameters"] = scaling | {"rope_theta": options.pop("rope_theta")}
    return options


@dataclass(frozen=True)
class Family:
    """Tiny configs of a model_type.

    config_class, model_class: of transformers.
    base: our config without ``architecture``; variants: its changes by name.
    wrong: a variant and changes of its config that must not give the same outputs.
    options: our config as keyword arguments of config_class.
    prefix: of our names of the weights, where model_class has the model without its head.
    derived: a part of the names of parameters that are computed, such as sinusoids.
    """

    config_class: str
    model_class: str
    base: Config
    variants: Mapping[str, Config]
    kind: Literal["decoder", "seq2seq", "encoder"] = "decoder"
    wrong: Sequence[tuple[str, Config]] = ()
    options: Callable[[Config], dict[str, Any]] = field(default=same)
    prefix: str = ""
    derived: str | None = None
