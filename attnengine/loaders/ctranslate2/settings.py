"""Settings of CTranslate2's models: scalars and texts of model.bin, and config.json."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.files.damage import short
from attnengine.loaders.files.text import read_optional

_JSON_VERSION = 6  # config.json replaces attributes of model.bin


class Settings:
    """The scalars and texts of a model.bin; a setting that nothing takes is refused."""

    def __init__(self, model: Model) -> None:
        self.path = model.path
        self.left = dict(model.settings)
        layers = (re.match(r"decoder/layer_([0-9]+)/", name) for name in model.tensors)
        self.num_layers = len({layer[1] for layer in layers if layer})  # layers of the decoder

    def get(self, name: str, default: Any) -> Any:
        """Take a setting; older files have one value, newer ones a value per side."""
        found = {
            self.left.pop(key)
            for key in (name, f"encoder/{name}", f"decoder/{name}")
            if key in self.left
        }
        if len(found) > 1:
            values = " and ".join(sorted(map(str, found)))
            raise Unsupported(f"{self.path}: {name} is {values}, expected the same on both sides")
        return found.pop() if found else default

    def of_layers(self, name: str, default: Any) -> Any:
        """Take a setting of every layer, such as self_attention/rotary_base."""
        keys = [key for key in self.left if key.startswith("decoder/layer_") and key.endswith(name)]
        found = {self.left.pop(key) for key in keys}
        if len(found) > 1 or len(keys) not in (0, self.num_layers):
            raise Unsupported(f"{self.path}: {name} differs between layers, expected one for all")
        return found.pop() if found else default

    def count(self, end: str) -> int:
        """Take all flags with names that end in `end`, and return the number of flags set."""
        keys = [key for key in self.left if key.endswith(end)]
        return sum(bool(self.left.pop(key)) for key in keys)

    def activation(self) -> str:
        """Take the activation of the feed-forward network."""
        number = self.get("activation", 0)
        if number not in names.ACTIVATIONS:
            raise Unsupported(f"{self.path}: activation {number}, expected {names.ACTIVATIONS}")
        return names.ACTIVATIONS[int(number)]

    def embedding_scale(self, side: str, hidden_size: int) -> float:
        """Take the factor of a side's embeddings."""
        old = self.left.pop(f"{side}/embeddings/multiply_by_sqrt_depth", 1)
        value = self.left.pop(f"{side}/scale_embeddings", old)
        if isinstance(value, int):  # a flag
            return math.sqrt(hidden_size) if value else 1.0
        if not isinstance(value, float) or not 0 < value < math.inf:
            raise FormatError(f"{self.path}: {side}/scale_embeddings is {value}, above 0 expected")
        return value

    def refuse_others(self) -> None:
        """Raise Unsupported for a setting that is unknown or has an unsupported value."""
        for name in names.IGNORED:
            self.get(name, 0)
        for name, supported in names.ONLY.items():
            value = self.get(name, supported)
            if value != supported:
                raise Unsupported(f"{self.path}: {name} is {value}, expected {supported}")
        for name, value in self.left.items():
            raise Unsupported(f"{self.path}: the setting {name!r:.200} ({value}) is not known")


def read_config(model: Model, settings: Settings, known: Collection[str]) -> dict[str, Any]:
    """Read config.json or, before version 6, the attributes that it replaced.

    Raises `Unsupported` for a key that is neither in `known` nor common to all models.
    """
    config = dict(names.CONFIG)
    if model.version < _JSON_VERSION:
        for key in ("unk_token", "bos_token", "eos_token"):
            config[key] = settings.get(key, config[key])
        for key, old in names.TOKEN_FLAGS.items():
            config[key] = bool(settings.get(old, config[key]))
        started = settings.get("with_target_bos", 1)
        config["decoder_start_token"] = config["bos_token" if started else "eos_token"]
        if settings.get("user_decoder_start_tokens", 0):
            config["decoder_start_token"] = None
        return config
    file = model.path.with_name("config.json")
    given = read_optional(file)
    for key, value in given.items():
        if key not in (*known, *names.CONFIG, *names.CONFIG_ONLY):
            raise Unsupported(f"{file}: {key!r:.200} ({short(value)}) is not known")
        if key in names.CONFIG_ONLY and value not in names.CONFIG_ONLY[key]:
            expected = names.CONFIG_ONLY[key][0]
            raise Unsupported(f"{file}: {key} is {short(value)}, expected {expected}")
    config.update(given)
    for key in ("unk_token", "bos_token", "eos_token"):
        if not isinstance(config[key], (str, type(None))):
            raise FormatError(f"{file}: {key} is {short(config[key])}, expected a token or null")
    return config
