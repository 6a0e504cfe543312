"""The places in which a transformers folder stores its chat template."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from attnengine import chat, loaders
from attnengine.errors import FormatError, InvalidArgument
from tests.helpers.chat_templates import TEMPLATES
from tests.loaders.hostile import damaged
from tests.loaders.huggingface.huggingface_files import (
    byte_level_tokenizer,
    write_json,
    write_llama,
)


def folder(path: Path, **settings: Any) -> Path:
    write_llama(path, tokenizer=byte_level_tokenizer())
    write_json(path / "tokenizer_config.json", settings)
    return path


def template(path: Path) -> Any:
    return loaders.load(path).config.get("chat_template")


def test_a_template_in_the_settings(tmp_path: Path) -> None:
    assert template(folder(tmp_path)) is None
    path = folder(tmp_path, chat_template="{{ a }}", bos_token="<s>", eos_token={"content": "!"})
    config = loaders.load(path).config
    assert config["chat_template"] == "{{ a }}"
    assert config["chat_tokens"] == {"bos_token": "<s>", "eos_token": "!"}
    loaders.convert(path, tmp_path / "native")
    assert loaders.load(tmp_path / "native").config == config


def test_several_templates(tmp_path: Path) -> None:
    named = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]
    path = folder(tmp_path, chat_template=named)
    assert template(path) == {"default": "a", "tool_use": "b"}


def test_files_come_first(tmp_path: Path) -> None:
    path = folder(tmp_path, chat_template="a")
    (path / "chat_template.jinja").write_text("b\n", encoding="utf-8")
    assert template(path) == "b\n"
    (path / "additional_chat_templates").mkdir()
    (path / "additional_chat_templates" / "rag.jinja").write_text("ü", encoding="utf-8")
    assert template(path) == {"default": "b\n", "rag": "ü"}


@pytest.mark.parametrize("value", [5, ["a"], [{"name": "a"}], {"name": 1, "template": "a"}])
def test_templates_that_are_none(tmp_path: Path, value: Any) -> None:
    with pytest.raises(FormatError, match=r"tokenizer_config\.json: chat_template has "):
        template(folder(tmp_path, chat_template=value))


def test_damaged_templates_render_or_are_refused() -> None:
    """Every damaged template renders or is refused within 15 seconds."""
    messages = [{"role": "user", "content": "ab"}, {"role": "assistant", "content": "é"}]
    rendered, count = 0, 0
    for name, template in TEMPLATES.items():
        for seed in range(220):
            damage = damaged(template.encode(), random.Random(f"{name} {seed}"))
            text = damage.decode(errors="replace")
            started = time.monotonic()
            try:
                chat.render(text, messages, {"bos_token": "<s>", "eos_token": "</s>"})
                rendered += 1
            except (FormatError, InvalidArgument):
                count += 1
            assert time.monotonic() - started < 15, text
    assert rendered + count == 220 * len(TEMPLATES)
    assert min(rendered, count) > 100
