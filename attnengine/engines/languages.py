"""The special tokens that tell a translation model its source and target language."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnengine.errors import InvalidArgument

LANGUAGES = ("source_language", "target_language")  # names of the options


@dataclass(frozen=True)
class Direction:
    """The special tokens that are added to the texts of one call, as ids."""

    before: list[int]  # before each source
    behind: list[int]  # after each source
    start: list[int]  # at the start of each target; not scored

    def source(self, ids: list[int]) -> list[int]:
        """Add the special tokens to a source."""
        return [*self.before, *ids, *self.behind]


def direction(
    config: Mapping[str, Any],
    source_language: str | None = None,
    target_language: str | None = None,
) -> Direction:
    """Return the special tokens for a pair of languages; None: the language of the config.

    The config's ``language_place`` decides where they stand. "before" (M2M-100, NLLB, mBART-50):
    the source language before the text, the target language after the decoder start token.
    "behind" (mBART): the source language after the end token, and the target language replaces
    the decoder start token.

    Raises
    ------
    InvalidArgument
        The model does not have the language, or it needs a language and none is given.
    """
    source = _language(config, "source_language", source_language)
    target = _language(config, "target_language", target_language)
    begin = [config["source_bos_token_id"]] if config["add_source_bos"] else []
    end = [config["source_eos_token_id"]] if config["add_source_eos"] else []
    start = [config["decoder_start_token_id"]]
    if config.get("forced_bos_token_id") is not None:
        start.append(config["forced_bos_token_id"])
    if config.get("language_place") == "behind":
        return Direction(begin, end + source, target)
    return Direction(source + begin, end, start + target)


def _language(config: Mapping[str, Any], option: str, given: str | None) -> list[int]:
    """Return the token of a language as a list, empty for a model without languages."""
    languages = config.get("languages")
    if languages is None:
        if given is not None:
            raise InvalidArgument(
                f"{option} is {given!r}, expected None: the model has no languages"
            )
        return []
    name = config[option] if given is None else given
    if name in languages:
        return [languages[name]]
    nearest = difflib.get_close_matches(str(name), languages, n=3, cutoff=0.4) or sorted(languages)
    more = f" or {len(languages) - 8} others" if len(nearest) > 8 else ""
    raise InvalidArgument(
        f"{option} is {name!r}, expected a language of the model: {', '.join(nearest[:8])}{more}"
    )
