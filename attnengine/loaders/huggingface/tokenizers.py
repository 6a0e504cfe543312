"""Turns the tokenizer files of a transformers folder, of any kind, into one tokenizer.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import TokenizerFile
from attnengine.loaders.files import sentencepiece_model
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.sentencepiece_model import CONTROL, UNKNOWN, Piece
from attnengine.loaders.files.text import (
    TOKENIZER_LIMIT,
    VOCABULARY_LIMIT,
    read_object,
    read_optional,
    read_text,
)
from attnengine.loaders.huggingface.added_tokens import MOST_HOLES, SETTINGS, AddedTokens, token_ids
from attnengine.loaders.huggingface.tokenizer_classes import ALIASES, CLASSES, TokenizerClass
from attnengine.loaders.schema import TOKENIZER_FILE
from attnengine.loaders.shared import tokenizer_json
from attnengine.loaders.shared.tokenizer_json import Json

_SWITCHES = ("add_bos_token", "add_eos_token")
_SWITCHED = ("codellama", "gemma", "llama")
SENTENCEPIECE = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model")


@dataclass
class Tokens:
    """Config keys, the vocabularies of sentencepiece models, and files for the engines."""

    config: dict[str, Any]
    vocabularies: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, TokenizerFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Folder:
    """A transformers folder, with its settings of the tokenizer class."""

    path: Path
    model_type: str
    settings: Mapping[str, Any]  # tokenizer_config.json

    @classmethod
    def read(cls, path: Path, given: Mapping[str, Any]) -> Folder:
        """Read tokenizer_config.json; ``given`` is config.json."""
        settings = read_optional(path / SETTINGS, VOCABULARY_LIMIT)
        settings = {"tokenizer_class": given.get("tokenizer_class"), **settings}
        return cls(path, str(given["model_type"]), settings)

    @property
    def kind(self) -> TokenizerClass | None:
        """The tokenizer class that the folder names, or else that of its model_type."""
        for name in (self.settings.get("tokenizer_class"), self.model_type):
            plain = _plain_name(name) if isinstance(name, str) else ""
            if found := CLASSES.get(ALIASES.get(plain, plain)):
                return found
        return None

    @property
    def switched(self) -> bool:
        """Whether the class puts tokens around a text by its switches, whatever a file says.

        So do some classes of version 4 of transformers, with which the models were made; version 5
        leaves a tokenizer.json as it is.
        """
        name = self.settings.get("tokenizer_class")
        given = [isinstance(self.settings.get(key), bool) for key in _SWITCHES]
        return isinstance(name, str) and _plain_name(name) in _SWITCHED and any(given)


def _plain_name(name: str) -> str:
    plain = name.removesuffix("Fast").removesuffix("Tokenizer").lower()
    return plain.replace("-", "").replace("_", "")


@dataclass(frozen=True)
class Found:
    """A tokenizer: the content of a tokenizer.json, and the file that it was read from."""

    file: Path
    content: Json
    changed: bool  # whether `content` differs from `file`
    prefix_space: bool = False  # whether the engine puts a space before a text, and not `content`

    @property
    def tokenizer_file(self) -> TokenizerFile:
        """The file or content for the library."""
        return json.dumps(self.content).encode() if self.changed else self.file

    @property
    def unknown(self) -> int | None:
        """The id of the unknown token."""
        model = self.content["model"]
        if isinstance(model.get("unk_id"), int):  # unigram models
            return int(model["unk_id"])
        if not isinstance(model.get("unk_token"), str):
            return None
        found = model["vocab"].get(model["unk_token"])
        return None if found is None else int(found)

    def around(self) -> tuple[int | None, int | None]:
        """The ids that the post-processor adds before and after a text."""
        processor = self.content.get("post_processor") or {}
        parts = processor["processors"] if processor.get("type") == "Sequence" else [processor]
        for part in parts:
            if part.get("type") == "TemplateProcessing":
                ids = [_ids(part, item) for item in part["single"]]
                text = ids.index(None)
                return self._one(ids[:text]), self._one(ids[text + 1 :])
            if part.get("type") in ("RobertaProcessing", "BertProcessing"):
                return int(part["cls"][1]), int(part["sep"][1])
        return None, None

    def _one(self, many: list[list[int] | None]) -> int | None:
        ids = [i for one in many for i in one or []]
        if len(ids) > 1:
            count = len(ids)
            raise Unsupported(
                f"{self.file}: {count} tokens are put before or behind a text, expected one"
            )
        return ids[0] if ids else None


def _ids(template: Mapping[str, Any], item: Mapping[str, Any]) -> list[int] | None:
    """Return the ids of one item of a post-processor's template; None is the text."""
    if "Sequence" in item:
        return None
    return [int(i) for i in template["special_tokens"][item["SpecialToken"]["id"]]["ids"]]


@dataclass(frozen=True)
class _Known:
    """A folder with a known tokenizer class, and the tokens that its small files add."""

    path: Path
    settings: Mapping[str, Any]
    kind: TokenizerClass
    added: AddedTokens


def find(folder: Folder) -> Found | None:
    """Read the tokenizer of a folder, or return None without one.

    It reads tokenizer.json, else a sentencepiece model, vocab.json with merges.txt, or vocab.txt.
    tokenizer_config.json, added_tokens.json and special_tokens_map.json add tokens.

    Raises
    ------
    FormatError
        A file is damaged, or files contradict each other.
    Unsupported
        A class of tokenizers that attnengine does not know.
    """
    path, settings, kind = folder.path, folder.settings, folder.kind
    file = path / TOKENIZER_FILE
    if file.is_file():
        return _from_json(folder, file)
    for name, read in _READERS.items():
        file = path / name
        if file.is_file():
            if kind is None:
                raise _unknown_class(file, settings)
            known = _Known(path, settings, kind, AddedTokens.read(path, settings, kind.special))
            with damage_named(file):
                content = read(known, file)
                known.added.add(content)
                _put_around(known, content)
            return Found(file, content, changed=True, prefix_space=_prefix_once(known, file))
    if kind and kind.layout == "bytes":  # without files
        known = _Known(path, settings, kind, AddedTokens.read(path, settings, kind.special))
        content = tokenizer_json.utf8_bytes(*_byte_tokens(known))
        _put_around(known, content)
        return Found(path / SETTINGS, content, changed=True)
    return None


def _from_json(folder: Folder, file: Path) -> Found:
    """Read tokenizer.json; other files may add tokens and decide what is put around a text."""
    content, path, settings = read_object(file, TOKENIZER_LIMIT), folder.path, folder.settings
    with damage_named(file):
        changed = AddedTokens.read(path, settings, {}).add(content)
        if folder.kind is not None and folder.switched:
            added = AddedTokens.read(path, settings, folder.kind.special)
            _put_around(_Known(path, settings, folder.kind, added), content)
            changed = True
    return Found(file, content, changed)


def _byte_tokens(folder: _Known) -> tuple[list[str], list[str]]:
    """Return the tokens before and behind the bytes."""
    roles = folder.added.roles
    first = [roles[role] for role in ("pad_token", "eos_token", "unk_token")]
    return first, [f"<extra_id_{i}>" for i in range(_extra_ids(folder))]


def _extra_ids(folder: _Known) -> int:
    count = folder.settings.get("extra_ids", folder.kind.extra_ids)
    if not isinstance(count, int) or not 0 <= count <= MOST_HOLES:
        raise FormatError(f"{folder.path / SETTINGS}: extra_ids is {short(count)}")
    return count


def _unknown_class(file: Path, settings: Mapping[str, Any]) -> Unsupported:
    name, expected = short(settings.get("tokenizer_class")), ", ".join(sorted(CLASSES))
    return Unsupported(
        f"{file}: tokenizer_class is {name}, expected one for {expected}, or {TOKENIZER_FILE}"
    )


def _sentencepiece(folder: _Known, file: Path) -> Json:
    model = sentencepiece_model.read(file)
    pieces = _LAYOUTS[folder.kind.layout](folder, model.pieces)
    extra = reversed(range(_extra_ids(folder)))
    pieces = pieces + [_special_piece(f"<extra_id_{i}>") for i in extra]
    return tokenizer_json.sentencepiece(model, pieces, prefix=not _prefix_once(folder, file))


def _prefix_once(folder: _Known, file: Path) -> bool:
    """Whether a space belongs before the text alone, and not behind each special token in it.

    Version 4 of transformers does so with the switch ``legacy`` false.
    """
    return file.name in SENTENCEPIECE and folder.settings.get("legacy") is False


def _plain(folder: _Known, pieces: list[Piece]) -> list[Piece]:
    return pieces


def _fairseq(folder: _Known, pieces: list[Piece]) -> list[Piece]:
    """Replace the first three pieces by fairseq's four tokens; append languages and the mask."""
    first = [_special_piece(token) for token in ("<s>", "<pad>", "</s>")]
    languages = folder.kind.languages
    codes = [languages.token.format(code) for code in languages.codes] if languages else []
    last = [_special_piece(token) for token in (*codes, folder.added.roles["mask_token"])]
    return [*first, Piece("<unk>", 0.0, UNKNOWN), *pieces[3:], *last]


def _pegasus(folder: _Known, pieces: list[Piece]) -> list[Piece]:
    """Insert the 103 tokens of Pegasus' training after the first two pieces."""
    offset = folder.settings.get("offset", 103)
    if offset != 103:
        raise Unsupported(f"{folder.path / SETTINGS}: offset is {short(offset)}, expected 103")
    names = ("<pad>", "</s>", "<mask_1>", "<mask_2>", *(f"<unk_{i}>" for i in range(2, 103)))
    lowest = min(piece.score for piece in pieces)
    return [*(Piece(name, lowest, CONTROL) for name in names), *pieces[2:]]


_LAYOUTS = {"plain": _plain, "fairseq": _fairseq, "pegasus": _pegasus}


def _special_piece(text: str) -> Piece:
    return Piece(text, 0.0, CONTROL)


def _byte_level(folder: _Known, file: Path) -> Json:
    lines = [line for line in read_text(file, TOKENIZER_LIMIT).split("\n") if line.strip()]
    if lines and lines[0].startswith("#version"):
        del lines[0]
    merges = [(first, second) for first, second in (line.split(" ") for line in lines)]
    vocab = read_object(folder.path / "vocab.json", TOKENIZER_LIMIT)
    space = folder.settings.get("add_prefix_space", folder.kind.add_prefix_space)
    return tokenizer_json.byte_level(vocab, merges, add_prefix_space=space, split=folder.kind.split)


def _word_piece(folder: _Known, file: Path) -> Json:
    text = read_text(file, TOKENIZER_LIMIT)
    tokens = text.removesuffix("\n").replace("\r\n", "\n").split("\n")
    return tokenizer_json.word_piece(
        {token: i for i, token in enumerate(tokens)},
        unk_token=folder.added.roles["unk_token"],
        lowercase=folder.settings.get("do_lower_case", True),
        strip_accents=folder.settings.get("strip_accents"),
        handle_chinese_chars=folder.settings.get("tokenize_chinese_chars", True),
    )


_READERS: dict[str, Callable[[_Known, Path], Json]] = {
    **dict.fromkeys(SENTENCEPIECE, _sentencepiece),
    "merges.txt": _byte_level,
    "vocab.txt": _word_piece,
}


def _put_around(folder: _Known, content: Json) -> None:
    """Add begin and end tokens to texts like the class, or by tokenizer_config.json."""
    ids = token_ids(content)

    def tokens(roles: tuple[str, ...], own: str) -> list[tuple[str, int]]:
        switch = folder.settings.get(f"add_{own}")
        if isinstance(switch, bool):
            roles = tuple(role for role in roles if role != own) + (own,) * switch
        named = [folder.added.roles[role] for role in roles]
        return [(token, ids[token]) for token in named]

    tokenizer_json.around(
        content, tokens(folder.kind.before, "bos_token"), tokens(folder.kind.after, "eos_token")
    )
