"""The tokenizers of a transformers folder with a source and a target, and its languages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.text import TOKENIZER_LIMIT, read_object
from attnengine.loaders.huggingface.added_tokens import SETTINGS, AddedTokens, token_ids
from attnengine.loaders.huggingface.tokenizer_classes import Languages
from attnengine.loaders.huggingface.tokenizers import Folder, Found, Tokens, find

_UNK = "<unk>"
_SPECIAL = {"eos_token": "</s>", "unk_token": _UNK, "pad_token": "<pad>"}  # of both classes
_SENTENCEPIECE = "sentencepiece.bpe.model"  # M2M-100: pieces; vocab.json has the ids


def read_seq2seq(folder: Folder, config: Mapping[str, Any], special: dict[str, Any]) -> Tokens:
    """Read the tokenizer that source and target share, or the pieces of Marian or M2M-100.

    special: ids from config.json or generation_config.json.
    """
    ends = special["eos_token_id"]
    tokens = Tokens(
        {
            **special,
            "add_source_bos": False,
            "add_source_eos": True,
            "source_bos_token_id": special["bos_token_id"],
            "source_eos_token_id": ends[0] if isinstance(ends, list) and ends else ends,
            "source_pad_token_id": special["pad_token_id"],
            "source_unk_token_id": None,
            "tokenizer": {"source": "none", "target": "none"},
        }
    )
    path, languages = folder.path, folder.kind.languages if folder.kind else None
    if folder.model_type == "marian":
        files = {name: path / name for name in schema.SENTENCEPIECE_FILES.values()}
        _add_pieces(tokens, folder, config, files)
    elif (path / _SENTENCEPIECE).is_file() and (path / "vocab.json").is_file():
        files = dict.fromkeys(schema.SENTENCEPIECE_FILES.values(), path / _SENTENCEPIECE)
        _add_pieces(tokens, folder, config, files, languages)
    elif found := find(folder):
        with damage_named(found.file):
            _share(tokens, found, languages)
    if languages:
        _add_languages(tokens, folder, languages)
    if tokens.config["forced_bos_token_id"] is None:
        del tokens.config["forced_bos_token_id"]
    return tokens


def _share(tokens: Tokens, found: Found, languages: Languages | None) -> None:
    """Use one tokenizer for both sides, with the tokens that it adds to a source."""
    tokens.config.update(unk_token_id=found.unknown, source_unk_token_id=found.unknown)
    tokens.config["prefix_space"] = found.prefix_space
    tokens.config["tokenizer"] = {"source": "tokenizers", "target": "tokenizers"}
    tokens.files[schema.TOKENIZER_FILE] = found.tokenizer_file
    if languages:
        ids = token_ids(found.content)
        named = {code: ids.get(languages.token.format(code)) for code in languages.codes}
        tokens.config["languages"] = {code: i for code, i in named.items() if i is not None}
        return  # the added tokens depend on the language
    for name, added in zip(("bos", "eos"), found.around(), strict=True):
        tokens.config[f"add_source_{name}"] = added is not None
        if added is not None:
            tokens.config[f"source_{name}_token_id"] = added


def _add_pieces(
    tokens: Tokens,
    folder: Folder,
    config: Mapping[str, Any],
    files: Mapping[str, Path],
    languages: Languages | None = None,
) -> None:
    """Use pieces of sentencepiece models with the ids of vocab.json."""
    path = folder.path
    vocabulary = path / "vocab.json"
    if not any(file.is_file() for file in (*files.values(), vocabulary)):
        return
    for file in (*files.values(), vocabulary):
        if not file.is_file():
            raise FormatError(f"{file} is missing, which the tokenizer needs")
    own = path / "target_vocab.json"
    for side, file in (("source", vocabulary), ("target", own if own.is_file() else vocabulary)):
        found = read_object(file, TOKENIZER_LIMIT)
        if languages:  # their tokens follow the vocabulary
            tokens.config["languages"] = {c: len(found) + i for i, c in enumerate(languages.codes)}
            found |= {
                languages.token.format(code): i for code, i in tokens.config["languages"].items()
            }
        pieces = _pieces(file, found, config[f"{side}_vocab_size"])
        tokens.vocabularies[side] = pieces
        unknown = pieces.index(_UNK) if _UNK in pieces else None
        tokens.config["unk_token_id" if side == "target" else "source_unk_token_id"] = unknown
        tokens.config["tokenizer"][side] = "sentencepiece"
    tokens.files.update(files)
    special = AddedTokens.read(path, folder.settings, _SPECIAL).special
    known = set(tokens.vocabularies["source"]).intersection(tokens.vocabularies["target"])
    tokens.config["special_in_text"] = sorted(special & known)


def _pieces(file: Path, found: Mapping[str, Any], size: object) -> list[str]:
    """Return the piece of each id; an id without a piece gets a name that no text matches."""
    # Checked before memory is allocated for the pieces.
    if not isinstance(size, int) or not 0 < size <= 2 * len(found) + 1024:
        raise FormatError(f"{file} has {len(found)} pieces, but the vocabulary size is {size!r}")
    pieces: list[str | None] = [None] * size
    for piece, i in found.items():
        if not isinstance(i, int) or isinstance(i, bool) or not 0 <= i < size:
            raise FormatError(f"{file}: {piece!r:.80} has id {short(i)}, expected 0 to {size - 1}")
        if pieces[i] is not None:
            raise FormatError(f"{file}: {piece!r:.80} and {pieces[i]!r:.80} both have id {i}")
        pieces[i] = piece
    return [f"<id {i}>" if piece is None else piece for i, piece in enumerate(pieces)]


def _add_languages(tokens: Tokens, folder: Folder, languages: Languages) -> None:
    """Add the ids of the languages' tokens and the default languages to the config."""
    settings, codes = folder.settings, tokens.config.get("languages")
    if not codes:  # no tokenizer, or another model's
        tokens.config.pop("languages", None)
        return
    for key, expected in (("legacy_behaviour", False), ("language_codes", "m2m100")):
        if settings.get(key, expected) != expected:
            value = short(settings[key])
            raise Unsupported(f"{folder.path / SETTINGS}: {key} is {value}, expected {expected}")
    by_id = {i: code for code, i in codes.items()}
    first = tokens.config["decoder_start_token_id" if languages.behind else "forced_bos_token_id"]
    source, target = settings.get("src_lang"), settings.get("tgt_lang")
    default = languages.default if languages.default in codes else None
    tokens.config.update(
        add_source_bos=False,
        add_source_eos=True,
        forced_bos_token_id=None,
        language_place="behind" if languages.behind else "before",
        source_language=default if source is None else source,
        target_language=by_id.get(first) if target is None else target,
    )
