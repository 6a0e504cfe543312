"""Tokens that a transformers folder adds to its tokenizer in separate files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.text import read_optional
from attnengine.loaders.shared.tokenizer_json import Json, added_token

SETTINGS = "tokenizer_config.json"
MOST_HOLES = 1024  # unused ids between added tokens


@dataclass(frozen=True)
class AddedTokens:
    """The tokens in tokenizer_config.json, special_tokens_map.json and added_tokens.json.

    roles: bos_token and the like. special: all special tokens. ids: tokens with id and flags.
    """

    roles: Mapping[str, str]
    special: frozenset[str]
    ids: tuple[Json, ...]

    @classmethod
    def read(cls, path: Path, settings: Mapping[str, Any], given: Mapping[str, str]) -> AddedTokens:
        """Read the files of a folder; ``given`` holds the default token of each role."""
        additional = set[str]()
        with damage_named(path / SETTINGS):
            found = {**given, **roles(path, settings)}
            for named in (read_optional(path / "special_tokens_map.json"), settings):
                additional.update(_additional(named))
        special = frozenset((*found.values(), *additional))
        with damage_named(path / SETTINGS):
            ids = [*_decoder(settings)]
        extra = read_optional(path / "added_tokens.json")
        with damage_named(path / "added_tokens.json"):
            ids += [added_token(int(i), text, special=text in special) for text, i in extra.items()]
        return cls(found, special, tuple(ids))

    def add(self, content: Json) -> bool:
        """Add the tokens to a tokenizer.json; return whether it lacked any of them.

        Raises FormatError if ids contradict each other.
        """
        known = {one["content"]: one for one in content.setdefault("added_tokens", [])}
        before = dict(known)
        ids = token_ids(content)
        for token in self.ids:
            text = token["content"]
            if ids.setdefault(text, token["id"]) != token["id"]:
                raise FormatError(f"{text!r:.80} has ids {ids[text]} and {token['id']}")
            known.setdefault(text, token)
        for text in sorted(self.special & ids.keys()):
            token = known.get(text) or added_token(ids[text], text, special=True)
            known[text] = {**token, "special": True}
        if known == before:
            return False
        content["added_tokens"] = sorted(known.values(), key=lambda one: int(one["id"]))
        _make_room(content)
        return True


def token_ids(content: Json) -> dict[str, int]:
    """Return the id of every token of a tokenizer.json."""
    vocab = content["model"]["vocab"]
    listed = {} if isinstance(vocab, dict) else {text: i for i, (text, _) in enumerate(vocab)}
    added = {one["content"]: one["id"] for one in content["added_tokens"]}
    return {**(listed or vocab), **added}


def roles(path: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Read bos_token and the like from special_tokens_map.json and tokenizer_config.json."""
    found = {}
    for role, value in {**read_optional(path / "special_tokens_map.json"), **settings}.items():
        text = value["content"] if isinstance(value, dict) and "content" in value else value
        if role.endswith("_token") and isinstance(text, str):
            found[role] = text
    return found


def _additional(settings: Mapping[str, Any]) -> Iterator[str]:
    for key in ("additional_special_tokens", "extra_special_tokens"):
        listed = settings.get(key) or []
        for one in listed.values() if isinstance(listed, dict) else listed:
            yield str(one["content"] if isinstance(one, dict) else one)


def _decoder(settings: Mapping[str, Any]) -> Iterator[Json]:
    for key, token in (settings.get("added_tokens_decoder") or {}).items():
        flags = {name: value for name, value in token.items() if isinstance(value, bool)}
        yield added_token(int(key), str(token["content"]), **{"special": False, **flags})


def _make_room(content: Json) -> None:
    """Put every added token into the vocabulary, because the library renumbers other ones."""
    vocab = content["model"]["vocab"]
    by_id = {} if isinstance(vocab, list) else {i: text for text, i in vocab.items()}
    lowest = min((score for _, score in vocab), default=0.0) if isinstance(vocab, list) else 0.0
    for one in content["added_tokens"]:
        text, i = one["content"], one["id"]
        if isinstance(vocab, list):
            if not 0 <= i <= len(vocab) + MOST_HOLES:
                raise FormatError(f"{text!r:.80} has id {i}, expected one up to {len(vocab)}")
            # No text matches these fillers, because its spaces have been replaced before.
            vocab += [[f" id {hole}", lowest] for hole in range(len(vocab), i)]
            if i == len(vocab):
                vocab.append([text, lowest])
            there = vocab[i][0]
        else:
            there = by_id.setdefault(i, text)
            vocab[text] = i
        if there != text:
            raise FormatError(f"{there!r:.80} and {text!r:.80} both have id {i}")
