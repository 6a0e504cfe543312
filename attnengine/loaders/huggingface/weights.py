"""Gives weights of transformers the names that they have in the model with its head."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.huggingface.families import Family
from attnengine.loaders.shared.renaming import enter

_COMPILED = "_orig_mod."
_CLASS_HEADS = ("score.", "classifier.", "qa_outputs.")


def canonical(
    path: Path, tensors: Mapping[str, Tensor], family: Family, config: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Return each weight once, with its name in the model with its head."""
    named: dict[str, Tensor] = {}
    _expect_whole_model(path, tensors, family)
    for name, tensor in tensors.items():
        full = name if name.startswith((family.prefix, *family.heads)) else family.prefix + name
        for before, since in family.renames:
            full = re.sub(before, since, full)
        if re.search(family.buffers, full):
            continue
        enter(named, full, tensor, path)
    for tie in family.ties:
        if tie.copy in named and all(config[switch] is True for switch in tie.switches):
            copy = named.pop(tie.copy)
            _expect_equal(path, named.setdefault(tie.kept, copy), copy, tie.switches)
    return named


def _expect_whole_model(path: Path, names: Iterable[str], family: Family) -> None:
    """Refuse names that a wrapper has changed, and heads that are not language models."""
    for name in names:
        if name.startswith(_COMPILED):
            raise FormatError(
                f"{path}: weight {name!r:.200} begins with {_COMPILED!r}, as torch.compile names "
                "weights; save the state_dict of the module inside"
            )
        if family.kind == "decoder" and name.startswith(_CLASS_HEADS):
            raise Unsupported(
                f"{path}: weight {name!r:.200} is the head of a classifier "
                "(...ForSequenceClassification), expected a language model"
            )


def _expect_equal(path: Path, kept: Tensor, copy: Tensor, switches: tuple[str, ...]) -> None:
    """Raise FormatError unless two copies of a tied weight in a file are equal."""
    if kept is copy:
        return
    if kept.shape != copy.shape or not np.array_equal(kept.read(), copy.read()):
        why = f"but {' and '.join(switches)} is true" if switches else "expected the same"
        raise FormatError(f"{path}: {kept.name!r} and {copy.name!r} differ, {why}")
