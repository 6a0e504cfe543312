"""The tokenizer of a transformers folder, whichever files it has, as one tokenizer.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import sentencepiece_model, tokenizer_json
from attnengine.loaders.added_tokens import MOST_HOLES, SETTINGS, AddedTokens, token_ids
from attnengine.loaders.checkpoint import TokenizerFile
from attnengine.loaders.files import TOKENIZER_LIMIT, damage_named, read_object, read_text, short
from attnengine.loaders.names.tokenizers import ALIASES, CLASSES, TokenizerClass
from attnengine.loaders.schema import TOKENIZER_FILE
from attnengine.loaders.sentencepiece_model import CONTROL, UNKNOWN, Piece
from attnengine.loaders.tokenizer_json import Json

SENTENCEPIECE = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model")


@dataclass(frozen=True)
class Found:
    """A tokenizer: what it does, and the file that says so."""

    file: Path
    content: Json
    changed: bool  # whether `content` is not what stands in `file`

    @property
    def tokenizer_file(self) -> TokenizerFile:
        """What the library reads."""
        return json.dumps(self.content).encode() if self.changed else self.file


@dataclass(frozen=True)
class _Folder:
    """A folder with what its small files say."""

    path: Path
    settings: Mapping[str, Any]  # tokenizer_config.json
    kind: TokenizerClass
    added: AddedTokens


def tokenizer_class(settings: Mapping[str, Any], model_type: str) -> TokenizerClass | None:
    """What is known of the class that a folder names, or else of the one of its model_type."""
    for name in (settings.get("tokenizer_class"), model_type):
        if isinstance(name, str):
            plain = name.removesuffix("Fast").removesuffix("Tokenizer").lower()
            plain = plain.replace("-", "").replace("_", "")
            if found := CLASSES.get(ALIASES.get(plain, plain)):
                return found
    return None


def find(path: Path, settings: Mapping[str, Any], model_type: str) -> Found | None:
    """Read the tokenizer of a folder; None when there is none.

    tokenizer.json, else a sentencepiece model, vocab.json with merges.txt, or vocab.txt; with
    the tokens that tokenizer_config.json, added_tokens.json and special_tokens_map.json add.

    Raises
    ------
    FormatError
        A file is damaged, or files contradict each other.
    Unsupported
        A class of tokenizers that attnengine does not know.
    """
    kind = tokenizer_class(settings, model_type)
    file = path / TOKENIZER_FILE
    if file.is_file():
        content = read_object(file, TOKENIZER_LIMIT)
        with damage_named(file):
            return Found(file, content, changed=AddedTokens.read(path, settings, {}).add(content))
    for name, read in _READERS.items():
        file = path / name
        if file.is_file():
            if kind is None:
                raise _unknown_class(file, settings)
            folder = _Folder(path, settings, kind, AddedTokens.read(path, settings, kind.special))
            with damage_named(file):
                content = read(folder, file)
                folder.added.add(content)
                _put_around(folder, content)
            return Found(file, content, changed=True)
    return None


def _unknown_class(file: Path, settings: Mapping[str, Any]) -> Unsupported:
    name, expected = short(settings.get("tokenizer_class")), ", ".join(sorted(CLASSES))
    return Unsupported(
        f"{file}: tokenizer_class is {name}, expected one for {expected}, or {TOKENIZER_FILE}"
    )


def _sentencepiece(folder: _Folder, file: Path) -> Json:
    model = sentencepiece_model.read(file)
    pieces = _LAYOUTS[folder.kind.layout](folder, model.pieces)
    count = folder.settings.get("extra_ids", folder.kind.extra_ids)
    if not isinstance(count, int) or not 0 <= count <= MOST_HOLES:
        raise FormatError(f"{folder.path / SETTINGS}: extra_ids is {short(count)}")
    pieces = pieces + [_special_piece(f"<extra_id_{i}>") for i in reversed(range(count))]
    return tokenizer_json.sentencepiece(model, pieces)


def _plain(folder: _Folder, pieces: list[Piece]) -> list[Piece]:
    return pieces


def _fairseq(folder: _Folder, pieces: list[Piece]) -> list[Piece]:
    """The four tokens of fairseq instead of the first three, then the languages and the mask."""
    first = [_special_piece(token) for token in ("<s>", "<pad>", "</s>")]
    languages = folder.kind.languages
    codes = [languages.token.format(code) for code in languages.codes] if languages else []
    last = [_special_piece(token) for token in (*codes, folder.added.roles["mask_token"])]
    return [*first, Piece("<unk>", 0.0, UNKNOWN), *pieces[3:], *last]


def _pegasus(folder: _Folder, pieces: list[Piece]) -> list[Piece]:
    """103 tokens of the training before all pieces but the first two."""
    offset = folder.settings.get("offset", 103)
    if offset != 103:
        raise Unsupported(f"{folder.path / SETTINGS}: offset is {short(offset)}, expected 103")
    names = ("<pad>", "</s>", "<mask_1>", "<mask_2>", *(f"<unk_{i}>" for i in range(2, 103)))
    lowest = min(piece.score for piece in pieces)
    return [*(Piece(name, lowest, CONTROL) for name in names), *pieces[2:]]


_LAYOUTS = {"plain": _plain, "fairseq": _fairseq, "pegasus": _pegasus}


def _special_piece(text: str) -> Piece:
    return Piece(text, 0.0, CONTROL)


def _byte_level(folder: _Folder, file: Path) -> Json:
    lines = [line for line in read_text(file, TOKENIZER_LIMIT).split("\n") if line.strip()]
    if lines and lines[0].startswith("#version"):
        del lines[0]
    merges = [(first, second) for first, second in (line.split(" ") for line in lines)]
    vocab = read_object(folder.path / "vocab.json", TOKENIZER_LIMIT)
    space = folder.settings.get("add_prefix_space", folder.kind.add_prefix_space)
    return tokenizer_json.byte_level(vocab, merges, add_prefix_space=space, split=folder.kind.split)


def _word_piece(folder: _Folder, file: Path) -> Json:
    text = read_text(file, TOKENIZER_LIMIT)
    tokens = text.removesuffix("\n").replace("\r\n", "\n").split("\n")
    return tokenizer_json.word_piece(
        {token: i for i, token in enumerate(tokens)},
        unk_token=folder.added.roles["unk_token"],
        lowercase=folder.settings.get("do_lower_case", True),
        strip_accents=folder.settings.get("strip_accents"),
        handle_chinese_chars=folder.settings.get("tokenize_chinese_chars", True),
    )


_READERS: dict[str, Callable[[_Folder, Path], Json]] = {
    **dict.fromkeys(SENTENCEPIECE, _sentencepiece),
    "merges.txt": _byte_level,
    "vocab.txt": _word_piece,
}


def _put_around(folder: _Folder, content: Json) -> None:
    """Let begin and end tokens be added as the class does, or as tokenizer_config.json says."""
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
