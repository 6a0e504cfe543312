"""Chat templates: Jinja2 templates that turn a conversation into a model's prompt.

A template comes with a model and is not trusted. It runs in Jinja2's immutable sandbox on plain
values, with limits on the size of its output and on its time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attnengine.chat.budget import Budget, TooMuchError
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from attnengine.tokenizers import Tokenizer

_ABSENT = {"tools": None, "documents": None}  # unless given; templates compare them with none
DEFAULT = "default"  # the name of the default template


def prompt(
    config: Mapping[str, Any],
    tokenizer: Tokenizer,
    messages: Sequence[Mapping[str, Any]],
    name: str | None,
    variables: Mapping[str, Any],
) -> str:
    """Turn a conversation into a prompt, with a template of the model's config.

    Templates get the special tokens as variables bos_token, eos_token, pad_token and unk_token.
    They also get add_generation_prompt, by default true: the prompt then ends with the beginning
    of the reply.

    Raises Unsupported if the model has no template, InvalidArgument for an unknown template, and
    the errors of `render`.
    """
    given = config.get("chat_template")
    if given is None:
        raise Unsupported(
            "the model has no chat template: format the prompt yourself and call generate"
        )
    templates = {DEFAULT: given} if isinstance(given, str) else given
    if (name or DEFAULT) not in templates:
        expected = ", ".join(map(repr, templates))
        raise InvalidArgument(f"template is {name!r}, expected one of {expected}")
    special = {}
    for role in ("bos_token", "eos_token", "pad_token", "unk_token"):
        ids = config[f"{role}_id"]
        first = ids[0] if isinstance(ids, list) else ids
        if first is not None:
            special[role] = tokenizer.tokens([first])[0]
    special.update(config.get("chat_tokens", {}))
    given_variables = {"add_generation_prompt": True, **special, **variables}
    return render(templates[name or DEFAULT], messages, given_variables)


def render(
    template: str, messages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]
) -> str:
    """Render a template with the messages of a conversation; each has a role and a content.

    As in transformers, ``tools`` and ``documents`` are none unless variables give them.

    Raises
    ------
    InvalidArgument
        JSON cannot express the messages or variables, or the template refuses them.
    FormatError
        The template is not valid Jinja2, does something that the sandbox forbids, or exceeds its
        limits.
    Unsupported
        The extra ``chat`` is not installed.
    """
    try:
        from jinja2.exceptions import SecurityError, TemplateSyntaxError

        from attnengine.chat.sandbox import Sandbox
    except ImportError as error:
        raise Unsupported(
            "chat needs jinja2, which is not installed: pip install 'attnengine[chat]'"
        ) from error
    context = _plain({**_ABSENT, "messages": list(messages), **variables})
    budget = Budget(context)
    try:
        pieces = []
        for piece in Sandbox(budget).from_string(template).generate(context):
            budget.take(len(piece))
            pieces.append(piece)
        return "".join(pieces)
    except (TemplateSyntaxError, SecurityError, TooMuchError) as error:
        raise FormatError(f"chat_template: {str(error)[:300]}") from error
    except (MemoryError, RecursionError) as error:
        raise FormatError(
            "chat_template needs too much memory or calls itself endlessly"
        ) from error
    except Exception as error:  # the expressions of a template may raise any exception
        reason = f"{type(error).__name__}: {error}"[:300]
        raise InvalidArgument(f"the chat template refuses the messages: {reason}") from error


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert values to JSON's types, as a template could call the methods of other objects."""
    for index, message in enumerate(values["messages"]):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise InvalidArgument(
                f"messages[{index}] is {message!r:.80}, expected a dict with 'role' and 'content'"
            )
    try:
        plain: dict[str, Any] = json.loads(json.dumps(values))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(
            f"messages or variables hold values that JSON does not have: {error}"
        ) from error
    return plain
