"""From which language to which: the tokens that say so to a translation model."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnengine.errors import InvalidArgument

LANGUAGES = ("source_language", "target_language")  # the options


@dataclass(frozen=True)
class Direction:
    """What is added to the texts of one call, as ids."""

    before: list[int]  # a source
    behind: list[int]
    start: list[int]  # what every target begins with, and what counts for no score

    def source(self, ids: list[int]) -> list[int]:
        """A source with all that is added to it."""
        return [*self.before, *ids, *self.behind]


def direction(
    config: Mapping[str, Any],
    source_language: str | None = None,
    target_language: str | None = None,
) -> Direction:
    """The tokens for a pair of languages; None: those of the config.

    The source's token stands before the text and the target's behind the decoder start token
    (M2M-100, NLLB, mBART-50), or the source's stands behind the end token and the target's is
    the decoder start token (mBART): ``language_place``.

    Raises
    ------
    InvalidArgument
        A language that the model does not have, or one that it needs and that is not given.
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
    """The token of a language, if the model has languages at all."""
    languages = config.get("languages")
    if languages is None:
        if given is not None:
            raise InvalidArgument(f"{option} is {given!r}, but the model has no languages")
        return []
    name = config[option] if given is None else given
    if name in languages:
        return [languages[name]]
    nearest = difflib.get_close_matches(str(name), languages, n=3, cutoff=0.4) or sorted(languages)
    more = f" or {len(languages) - 8} others" if len(nearest) > 8 else ""
    raise InvalidArgument(
        f"{option} is {name!r}, expected a language of the model: {', '.join(nearest[:8])}{more}"
    )
