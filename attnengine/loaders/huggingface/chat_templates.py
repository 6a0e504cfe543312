"""The chat template of a transformers folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.text import CONFIG_LIMIT, read_text
from attnengine.loaders.huggingface.added_tokens import SETTINGS, roles

_FILE = "chat_template.jinja"
_MORE = "additional_chat_templates"
DEFAULT = "default"


def read_chat_template(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Read ``chat_template``, a text or texts by name, and ``chat_tokens``, its special tokens.

    Without a template there is neither. Template files precede tokenizer_config.json (settings).
    """
    found = _named(path / SETTINGS, settings.get("chat_template"))
    files = {DEFAULT: path / _FILE} if (path / _FILE).is_file() else {}
    if (path / _MORE).is_dir():
        files |= {file.stem: file for file in sorted((path / _MORE).glob("*.jinja"))}
    found |= {name: read_text(file, CONFIG_LIMIT) for name, file in files.items()}
    if not found:
        return {}
    with damage_named(path / SETTINGS):
        tokens = {**dict(roles(path, settings))}
    template = found[DEFAULT] if found.keys() == {DEFAULT} else found
    return {"chat_template": template, "chat_tokens": tokens}


def _named(file: Path, value: object) -> dict[str, str]:
    """Return templates by name, from a text or from a list of objects with name and template."""
    if value is None:
        return {}
    listed = value if isinstance(value, list) else [{"name": DEFAULT, "template": value}]
    found = {}
    for one in listed:
        name, template = (one.get("name"), one.get("template")) if isinstance(one, dict) else (0, 0)
        if not isinstance(name, str) or not isinstance(template, str):
            raise FormatError(f"{file}: chat_template has {short(one)}, expected name and template")
        found[name] = template
    return found
