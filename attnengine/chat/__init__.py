"""Chat templates: what a model wants to read of a conversation, written in Jinja2.

A template comes with a model, so it is not trusted: it runs in Jinja2's immutable sandbox, on plain
values, and what it may make and how long it may take is limited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attnengine.chat.budget import Budget, TooMuchError
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from attnengine.tokenizers import Tokenizer

DEFAULT = "default"  # the name of the template that is taken if none is named


def prompt(
    config: Mapping[str, Any],
    tokenizer: Tokenizer,
    messages: Sequence[Mapping[str, Any]],
    name: str | None,
    variables: Mapping[str, Any],
) -> str:
    """The text of a conversation, by a template of a model's config.

    Templates know the special tokens as bos_token and so on, and are told to end with what
    begins the reply (add_generation_prompt).
    """
    given = config.get("chat_template")
    if given is None:
        raise Unsupported("the model has no chat template: format a prompt and call generate")
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
    """The text of a conversation; each message has a role and a content.

    Raises
    ------
    InvalidArgument
        Messages or variables that JSON cannot hold, or that the template refuses.
    FormatError
        It is no template, does what the sandbox forbids, or exceeds its limits.
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
    context = _plain({"messages": list(messages), **variables})
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
        raise FormatError("chat_template: it needs too much memory, or calls itself") from error
    except Exception as error:  # whatever the expressions of a template raise
        reason = f"{type(error).__name__}: {error}"[:300]
        raise InvalidArgument(f"the chat template cannot take the messages ({reason})") from error


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same as what JSON has: objects of a caller would offer their methods to a template."""
    for index, message in enumerate(values["messages"]):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise InvalidArgument(
                f"messages[{index}] is {message!r:.80}, expected a dict with 'role' and 'content'"
            )
    try:
        plain: dict[str, Any] = json.loads(json.dumps(values))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"messages are no JSON values ({error})") from error
    return plain
