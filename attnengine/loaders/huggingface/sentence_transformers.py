"""Reads modules.json of sentence-transformers: the pooling of an encoder's states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.text import CONFIG_LIMIT, read_json, read_object, read_optional

MODULES = "modules.json"
SETTINGS = "config_sentence_transformers.json"
_DEFAULT = {"pooling": "mean", "normalize": False}
# its mode -> our pooling; before version 5 each mode was a switch of its own
_MODES = {
    "mean": "mean",
    "cls": "first",
    "max": "max",
    "lasttoken": "last",
    "weightedmean": "weighted_mean",
    "mean_sqrt_len_tokens": "mean_sqrt",
}
_SWITCHES = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
}
_ORDERS = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])


def transformer_folder(path: Path) -> Path:
    """Return the folder of the transformer; early versions gave it a folder inside."""
    modules = _modules(path / MODULES)
    return path / modules[0][1] if modules else path


def read_pooling(path: Path, hidden_size: object) -> dict[str, Any]:
    """Return ``pooling`` and ``normalize``; without modules.json the mean, not normalised.

    Raises Unsupported unless the modules are Transformer, Pooling and, optionally, Normalize in
    this order, and for an unknown pooling.
    """
    modules = _modules(path / MODULES)
    if not modules:
        return _DEFAULT
    kinds = [kind for kind, _ in modules]
    if kinds not in _ORDERS:
        raise Unsupported(
            f"{path / MODULES}: modules are {', '.join(kinds)[:200]}, expected Transformer, "
            "Pooling and perhaps Normalize"
        )
    file = path / modules[1][1] / "config.json"
    pooling = {"pooling": _pooling(file, hidden_size), "normalize": kinds[-1] == "Normalize"}
    return {**pooling, **_prompts(path / SETTINGS), **_lowercase(path / modules[0][1])}


def _prompts(file: Path) -> dict[str, Any]:
    """Return the prompts, the name of the one that texts get, and the kind of similarity."""
    settings = read_optional(file)
    return {
        "prompts": settings.get("prompts") or {},
        "default_prompt_name": settings.get("default_prompt_name"),
        "similarity": settings.get("similarity_fn_name") or "cosine",
    }


def _lowercase(folder: Path) -> dict[str, Any]:
    return {
        "lowercase": read_optional(folder / "sentence_bert_config.json").get("do_lower_case", False)
    }


def _modules(file: Path) -> list[tuple[str, str]]:
    """Return class and folder of each module; none without the file."""
    if not file.is_file():
        return []
    with damage_named(file):
        modules = [
            (str(module["type"]).rsplit(".", 1)[-1], str(module["path"]))
            for module in read_json(file, CONFIG_LIMIT)
        ]
    for _, folder in modules:
        if folder != Path(folder).name:  # "" is the folder of modules.json itself
            raise FormatError(f"{file}: path is {short(folder)}, expected a folder beside it")
    return modules


def _pooling(file: Path, hidden_size: object) -> str:
    config = read_object(file, CONFIG_LIMIT)
    if config.get("include_prompt") is False:
        raise Unsupported(f"{file}: include_prompt is false, expected true: prompts are pooled too")
    size = config.get("embedding_dimension", config.get("word_embedding_dimension"))
    if size != hidden_size:
        raise FormatError(f"{file}: dimension is {short(size)}, expected {short(hidden_size)}")
    on = [key for key, value in config.items() if key.startswith("pooling_mode_") and value]
    mode = config.get("pooling_mode", [_SWITCHES.get(key, key) for key in on])
    mode = mode[0] if isinstance(mode, list) and len(mode) == 1 else mode
    if not isinstance(mode, str) or mode not in _MODES:
        raise Unsupported(f"{file}: pooling is {short(mode)}, expected one of {', '.join(_MODES)}")
    return _MODES[mode]
