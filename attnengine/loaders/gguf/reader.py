"""Reads a GGUF file: container, config, tokens and weights."""

from __future__ import annotations

from pathlib import Path

from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.gguf import config, container, tokenizer, weights
from attnengine.loaders.gguf.tokens import Tokens
from attnengine.loaders.huggingface.families import FAMILIES as KNOWN


def read(path: Path) -> Checkpoint:
    """Read a file; `Unsupported` names an unknown architecture, type or switch."""
    file = container.read(path)
    family = config.family(file)
    with damage_named(path):
        found = config.read(file, family)
        text = Tokens(file, config.vocab_size(file))
        found.update(text.config(KNOWN[family.model_type].kind))
        content = tokenizer.content(text)
    tensors = weights.read(file, family, found)
    files = {} if content is None else {schema.TOKENIZER_FILE: content}
    return schema.checked(path, found, tensors, {}, files)
