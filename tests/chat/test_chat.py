"""Conversations: chat templates, forbidden operations in them, and the engine's replies."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import attnengine as ae
from attnengine import chat
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from tests.helpers.chat_templates import CALL, CONVERSATION, TEMPLATES, TOOL

WriteModel = Callable[..., Path]
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
LETTERS = ["<s>", "</s>", *"abcdefghijklmnopqrstuvwxyz :\n"]
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
OPTIONS: dict[str, Any] = {"max_new_tokens": 6, "seed": 1}


def load(write_model: WriteModel, **changes: Any) -> ae.LanguageModel:
    changes = {"vocab_size": len(LETTERS), "chat_template": TEMPLATE, **changes}
    model = ae.load(write_model("rnn_lm", {"vocabulary": LETTERS}, **changes), num_threads=1)
    assert isinstance(model, ae.LanguageModel)
    return model


def user(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


# ---- the engine -------------------------------------------------------------------------


def test_a_reply_continues_the_prompt(write_model: WriteModel) -> None:
    model = load(write_model, chat_tokens={"bos_token": ""})  # letters: no special tokens in text
    prompt = model.chat_prompt(user("hello"))
    assert prompt == "user: hello\nassistant:"
    plain = load(write_model, add_bos=False)
    expected = plain.generate(prompt, **OPTIONS)
    reply = model.chat(user("hello"), **OPTIONS)
    assert reply == expected
    assert "".join(model.stream_chat(user("hello"), **OPTIONS)) == expected.text


def test_special_tokens_and_variables(write_model: WriteModel) -> None:
    model = load(write_model)
    assert model.chat_prompt(user("a")) == "<s>user: a\nassistant:"
    without = {"add_generation_prompt": False}
    assert model.chat_prompt(user("a"), variables=without) == "<s>user: a\n"
    several = load(write_model, chat_template={"default": "a", "tools": "{{ tools[0] }}"})
    assert several.chat_prompt(user("a")) == "a"
    assert several.chat_prompt(user("a"), "tools", {"tools": ["x"]}) == "x"
    with pytest.raises(InvalidArgument, match="template is 'tool', expected one of 'default', "):
        several.chat(user("a"), template="tool")


def test_what_chat_refuses(write_model: WriteModel, lm: ae.LanguageModel) -> None:
    model = load(write_model)
    with pytest.raises(Unsupported, match="the model has no chat template"):
        lm.chat(user("a"))
    with pytest.raises(InvalidArgument, match="unknown option 'top'"):
        model.chat(user("a"), top=1)  # type: ignore[call-arg]
    for messages in ([{"content": "a"}], ["a"], [{"role": 1, "content": "a"}]):
        with pytest.raises(InvalidArgument, match=r"messages\[0\] is .*, expected a dict"):
            model.chat(messages)  # type: ignore[arg-type]
    with pytest.raises(
        InvalidArgument, match="messages or variables hold values that JSON does not have"
    ):
        model.chat([{"role": "user", "content": object()}])
    with pytest.raises(InvalidArgument, match="empty prompt"):
        load(write_model, chat_template="{# nothing #}").chat(user("a"))
    with pytest.raises((FormatError, InvalidArgument), match="chat_template is 5, expected a text"):
        load(write_model, chat_template=5)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "attnengine.chat.sandbox", None)
    with pytest.raises(Unsupported, match=r"pip install 'attnengine\[chat\]'"):
        chat.render("a", [], {})


# ---- templates --------------------------------------------------------------------------


def test_a_published_template() -> None:
    expected = (
        "<s>[INST] <<SYS>>\nBe brief. \n<</SYS>>\n\nHello <b>you</b>,\nü€ \U0001f600 [/INST]"
        " Hi! </s><s>[INST] How's it\n\ngoing? [/INST]"
    )
    assert chat.render(TEMPLATES["llama2"], CONVERSATION, SPECIAL) == expected
    with pytest.raises(InvalidArgument, match="roles must alternate"):
        chat.render(TEMPLATES["llama2"], [CONVERSATION[2]], SPECIAL)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_as_transformers_renders_them(name: str) -> None:
    utils = pytest.importorskip("transformers.utils.chat_template_utils")
    conversations: list[list[dict[str, Any]]] = [CONVERSATION, CONVERSATION[1:2]]
    if name == "llama3":
        conversations.append([*CONVERSATION, CALL])
    for messages in conversations:
        for more in ({}, {"tools": [TOOL]}, {"date_string": "now", "add_generation_prompt": False}):
            variables = {**SPECIAL, **more}
            rendered, _ = utils.render_jinja_template(
                [messages], chat_template=TEMPLATES[name], **variables
            )
            assert chat.render(TEMPLATES[name], messages, variables) == rendered[0]


ESCAPES = [
    *("{{ [].__class__.__mro__ }}", "{{ ''['__class__']['__mro__'] }}", "{{ messages.append(1) }}"),
    *("{{ self.__init__.__globals__ }}", "{{ messages[0].pop('role') }}", "{% include 'a' %}"),
    *("{% set ns = namespace() %}{% set ns.__class__ = 1 %}", "{{ ''|attr('__class__') }}"),
    *("{{ '{0.__class__}'.format(1) }}", "{% extends 'a' %}", "{% import 'a' as a %}"),
    *("{{ messages.sort(key=raise_exception) }}", "{{ cycler.__init__.__globals__.os }}"),
    *("{{ lipsum.__globals__ }}", "{{ raise_exception.__globals__.x }}", "{{ range.mro() }}"),
    *(
        "{{ dict.mro() }}",
        "{% set a = namespace(b=namespace()) %}",
        "{{ strftime_now.__self__.x }}",
    ),
]
TOO_MUCH = [
    *("{{ 'a' * 10**10 }}", "{{ [1] * 10**9 }}", "{{ 9**9**9 }}{{ 10**99 * 10**99 }}"),
    *("{% for i in range(10**9) %}{% endfor %}", "{{ range(99999)|list|string * 99 }}"),
    "{% for i in range(99999) %}{% for i in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n - 1) }}{{ f(n - 1) }}{% endmacro %}{{ f(9) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(50) }}",
    "{% for i in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "{% macro f() %}{% for i in range(9999) %}"
    + "x" * 9999
    + "{% endfor %}{% endmacro %}{{ f() }}",
    "{% set ns = namespace(x=[1] * 99999) %}{% for i in range(400) %}{% set ns.x = [ns.x][:] %}"
    "{% endfor %}{{ ns.x|tojson(indent=64) }}",
    "{% set ns = namespace(x=[[1] * 9999]) %}{% for i in range(9) %}{% set ns.x = ns.x + [ns.x] %}"
    "{% endfor %}{{ ns.x|tojson(indent=64) }}",
    *("{{ 'a'|center(10**9) }}", "{{ 'a'.ljust(10**9) }}", "{{ '%999999999d' % 1 }}"),
    *("{{ '%999999999d'|format(1) }}", "{{ [1]|batch(10**9, 1)|list }}", "{{ 1.5|round(10**9) }}"),
    *("{{ lipsum(10**6) }}", "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"),
]
DOUBLED = [
    *("ns.x ~ ns.x", "ns.x + ns.x", "ns.x * 2", "[ns.x, ns.x]", "dict(a=ns.x, b=ns.x)"),
    *("{'a': ns.x, 'b': ns.x}", "(ns.x, ns.x)", "[ns.x, ns.x]|join", "''.join([ns.x, ns.x])"),
    *("ns.x|replace('a', 'aa')", "ns.x.replace('a', 'aa')"),
    *("[[ns.x] * 2] * 2", "ns.x.split('') or [ns.x, ns.x]|string", "[ns.x, ns.x]|tojson"),
]
LOOP = (
    "{%% set ns = namespace(x='a') %%}{%% for i in range(60) %%}{%% set ns.x = %s %%}{%% endfor %%}"
)


@pytest.mark.parametrize("template", [*ESCAPES, *TOO_MUCH, *(LOOP % one for one in DOUBLED)])
def test_hostile_templates(template: str) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    unit = 1 if sys.platform == "darwin" else 1024
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises((FormatError, InvalidArgument)):
        chat.render(template, CONVERSATION, SPECIAL)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (peak - before) * unit < 64 << 20
    assert time.monotonic() - started < 30  # less than one on an idle machine


@pytest.mark.parametrize("name", ["tools", "documents"])
def test_variables_that_are_none_unless_given(name: str) -> None:
    template = f"{{% if {name} is not none %}}{{{{ {name} | tojson }}}}{{% endif %}}."
    assert chat.render(template, user("a"), {}) == "."
    assert chat.render(template, user("a"), {name: [{"b": 1}]}) == '[{"b": 1}].'


def test_objects_of_a_caller_show_no_methods() -> None:
    class Text(str):
        def secret(self) -> str:
            return "secret"

    messages = [{"role": "user", "content": Text("a")}]
    assert chat.render("{{ messages[0].content.secret }}", messages, {}) == ""


def test_a_long_conversation_is_not_too_much() -> None:
    messages = [
        {"role": ("user", "assistant")[i % 2], "content": "word " * 200} for i in range(300)
    ]
    for name in ("chatml", "llama2", "gemma", "namespace"):
        assert len(chat.render(TEMPLATES[name], messages, SPECIAL)) > 1000
