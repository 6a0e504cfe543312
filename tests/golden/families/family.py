"""The declaration of a family's golden variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Config = Mapping[str, Any]

VOCAB = 60


def same(config: Config) -> dict[str, Any]:
    """Options of transformers' config class: our keys unchanged."""
    return dict(config)


_ROTARY = ("rope_theta", "partial_rotary_factor")


def rotary(config: Config) -> dict[str, Any]:
    """Return a config with the rotary keys of version 5 of transformers."""
    options = dict(config)
    scaling = options.pop("rope_scaling", None) or {"rope_type": "default"}
    moved = {key: options.pop(key) for key in _ROTARY if key in options}
    options["rope_parameters"] = scaling | moved
    return options


def encoder_decoder(config: Config) -> dict[str, Any]:
    """Return an encoder-decoder's config with transformers' names of the vocabulary sizes."""
    options = dict(config)
    options["vocab_size"] = options.pop("source_vocab_size")
    options["decoder_vocab_size"] = options.pop("target_vocab_size")
    return {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0, **options}


@dataclass(frozen=True)
class Family:
    """Tiny configs of one model_type.

    config_class, model_class: classes of transformers.
    base: our config without ``architecture``.
    variants: changes of base by the name of the variant.
    wrong: a variant and changes of its config that must give other outputs.
    options: turns our config into keyword arguments of config_class.
    model_type: given where it differs from the name of the file.
    prefix: prefix of our weight names, where model_class is the model without its head.
    attention: transformers' implementation of attention.
    early: config.json of a variant as version 4 of transformers wrote it, without model_type.
    early_heads: prefixes of our weight names, with their spelling in version 4.
    derived: part of the names of computed parameters, such as sinusoids, that we do not load.
    """

    config_class: str
    model_class: str
    base: Config
    variants: Mapping[str, Config]
    kind: Literal["decoder", "seq2seq", "encoder", "speech"] = "decoder"
    wrong: Sequence[tuple[str, Config]] = ()
    options: Callable[[Config], dict[str, Any]] = field(default=same)
    early: Mapping[str, Config] = field(default_factory=dict)
    early_heads: Mapping[str, str] = field(default_factory=dict)
    model_type: str | None = None
    prefix: str = ""
    attention: str = "eager"
    derived: str | None = None
