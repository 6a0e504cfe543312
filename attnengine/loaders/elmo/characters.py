"""The vectors of tokens in ELMo: convolutions over characters, highway layers, a projection.

The model is that of Kim et al. (2016) as bilm-tf implements it. A token's characters are its UTF-8
bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.shared.derived import derived
from attnengine.loaders.shared.options import Options

Floats = NDArray[np.float32]

_SENTENCE = {"<S>": 256, "</S>": 257}  # token -> its only character
_WORD_BEGIN, _WORD_END, _PADDING = 258, 259, 260
_CHARACTERS = 261
_ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda x: np.maximum(x, np.float32(0)),
    "tanh": np.tanh,
}
_TOKENS = 256  # tokens per batch
_NAMES = re.compile(r"char_embed|CNN/.*|CNN_high_[0-9]+/.*|CNN_proj/.*")


def names(weights: Iterable[str]) -> list[str]:
    """Names of the weights that compute the vectors of tokens."""
    return [name for name in weights if _NAMES.fullmatch(name)]


def embedding(
    path: Path, options: Options, weights: Mapping[str, Tensor], tokens: Sequence[str]
) -> Tensor:
    """Return the vectors of all tokens, (tokens, size), computed on demand.

    Raises `FormatError` if a weight is missing or does not fit the options.
    """
    length = options.integer("max_characters_per_token")
    activation = options.choice("activation", _ACTIVATIONS)
    size = options.under("embedding").integer("dim")
    shapes = _shapes(options, size, weights)
    for name in {*names(weights), *shapes}:
        found = weights[name].shape if name in weights else None
        if found != shapes.get(name):
            raise FormatError(f"{path}: {name} has shape {found}, expected {shapes.get(name)}")
    widths = [shape[1] for shape in shapes.values() if len(shape) == 4]
    if max(widths) > length or length > 1000:
        raise options.error("max_characters_per_token", f"{max(widths)} to 1000")
    order = list(shapes)

    def compute(*arrays: Floats) -> Floats:
        network = _Network(dict(zip(order, arrays, strict=True)), activation)
        parts = [tokens[i : i + _TOKENS] for i in range(0, len(tokens), _TOKENS)]
        return np.concatenate([network.vectors(characters(part, length)) for part in parts])

    out = shapes["CNN_proj/b_proj"][0]
    return derived([weights[name] for name in order], (len(tokens), out), compute)


def characters(tokens: Sequence[str], length: int) -> NDArray[np.int64]:
    """Return each token's characters with begin, end and padding characters: (tokens, length)."""
    found = np.full((len(tokens), length), _PADDING, np.int64)
    for row, token in zip(found, tokens, strict=True):
        own = [_SENTENCE[token]] if token in _SENTENCE else token.encode()[: length - 2]
        word = [_WORD_BEGIN, *own, _WORD_END]
        row[: len(word)] = word
    return found


def _shapes(
    options: Options, size: int, weights: Mapping[str, Tensor]
) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight by its name in the file."""
    shapes: dict[str, tuple[int, ...]] = {"char_embed": (_CHARACTERS, size)}
    filters = options.values.get("filters")
    if not isinstance(filters, list) or not filters or not all(map(_is_filter, filters)):
        raise options.error("filters", "a list of [width, number of filters]")
    for i, (width, count) in enumerate(filters):
        shapes |= {f"CNN/W_cnn_{i}": (1, width, size, count), f"CNN/b_cnn_{i}": (count,)}
    total = sum(count for _, count in filters)
    for i in range(min(options.integer("n_highway"), 100)):
        for gate in ("carry", "transform"):
            shapes[f"CNN_high_{i}/W_{gate}"] = (total, total)
            shapes[f"CNN_high_{i}/b_{gate}"] = (total,)
    out = weights["CNN_proj/b_proj"].shape if "CNN_proj/b_proj" in weights else ()
    if len(out) != 1:
        raise options.error("filters", "a projection CNN_proj/b_proj behind them")
    return shapes | {"CNN_proj/W_proj": (total, out[0]), "CNN_proj/b_proj": out}


def _is_filter(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(type(number) is int and 0 < number < 1 << 20 for number in value)


class _Network:
    def __init__(
        self, weights: Mapping[str, Floats], activation: Callable[[Floats], Floats]
    ) -> None:
        self.weights = weights
        self.activation = activation

    def vectors(self, ids: NDArray[np.int64]) -> Floats:
        """Return vectors (tokens, size) of characters (tokens, length)."""
        w = self.weights
        x = w["char_embed"][ids]  # (tokens, length, embedding)
        count = sum(name.startswith("CNN/W_cnn") for name in w)
        y = np.concatenate([self.convolved(x, i) for i in range(count)], axis=1)
        for i in range(sum(name.endswith("/W_carry") for name in w)):
            y = self.highway(y, f"CNN_high_{i}")
        vectors: Floats = y @ w["CNN_proj/W_proj"] + w["CNN_proj/b_proj"]
        return vectors

    def convolved(self, x: Floats, i: int) -> Floats:
        """Return the outputs of one filter width, maximum over positions: (tokens, filters)."""
        kernel = self.weights[f"CNN/W_cnn_{i}"][0]  # (width, embedding, filters)
        last = x.shape[1] - len(kernel) + 1
        sums = sum(x[:, k : k + last] @ kernel[k] for k in range(len(kernel)))
        largest: Floats = np.max(sums, axis=1)
        return self.activation(largest + self.weights[f"CNN/b_cnn_{i}"])

    def highway(self, x: Floats, name: str) -> Floats:
        """Mix relu(x W + b) and x by a gate (Srivastava et al. 2015): (tokens, filters)."""
        w = self.weights
        gate = x @ w[f"{name}/W_carry"] + w[f"{name}/b_carry"]
        carry = 0.5 + 0.5 * np.tanh(0.5 * gate)  # the logistic function without overflow
        transformed = x @ w[f"{name}/W_transform"] + w[f"{name}/b_transform"]
        mixed: Floats = carry * np.maximum(transformed, np.float32(0)) + (1 - carry) * x
        return mixed
