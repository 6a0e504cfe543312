"""Transformers folders: config.json with a model_type, weights and tokenizer files.

Config keys and weight names keep transformers' spelling. Versions of transformers differ in names,
in absent keys and in duplicate weights. The reader turns all of them into the form that
save_pretrained of the model with its head writes.
"""

from __future__ import annotations

from pathlib import Path

from attnengine.errors import Error
from attnengine.loaders.files.text import CONFIG_LIMIT, read_object
from attnengine.loaders.huggingface.sentence_transformers import MODULES

UNDERSTANDS = "a Hugging Face folder (config.json with model_type)"
CONFIG = "config.json"


def matches(path: Path) -> bool:
    """Whether `path` is a folder with a model_type in its config.json and not a native one."""
    if (path / MODULES).is_file():
        return True
    try:
        config = read_object(path / CONFIG, CONFIG_LIMIT)
    except Error:  # may be a damaged native folder; its reader names the damage
        return False
    return "model_type" in config and config.get("format") != "attnengine"
