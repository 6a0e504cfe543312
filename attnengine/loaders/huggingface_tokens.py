"""The special tokens and tokenizer files of a transformers folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import huggingface_tokenizers, schema
from attnengine.loaders.added_tokens import SETTINGS, optional, token_ids
from attnengine.loaders.chat_templates import read_chat_template
from attnengine.loaders.checkpoint import TokenizerFile
from attnengine.loaders.files import (
    TOKENIZER_LIMIT,
    VOCABULARY_LIMIT,
    damage_named,
    read_object,
    short,
)
from attnengine.loaders.huggingface_tokenizers import Found
from attnengine.loaders.names.huggingface.family import Kind
from attnengine.loaders.names.tokenizers import Languages

_UNK = "<unk>"
_SENTENCEPIECE = "sentencepiece.bpe.model"  # of M2M-100, whose ids are in vocab.json


@dataclass
class Tokens:
    """Config keys, the vocabularies of sentencepiece models, and files for the engines."""

    config: dict[str, Any]
    vocabularies: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, TokenizerFile] = field(default_factory=dict)


def read_tokens(
    path: Path, given: Mapping[str, Any], config: Mapping[str, Any], *, kind: Kind
) -> Tokens:
    """Read what decides how text becomes tokens.

    given: config.json, which also holds what early versions kept there of the search.
    config: the same without that, with a value for every key.
    """
    model_type = str(given["model_type"])
    generation = optional(path / "generation_config.json")
    settings = optional(path / SETTINGS, VOCABULARY_LIMIT)
    settings = {"tokenizer_class": given.get("tokenizer_class"), **settings}
    special = {key: _special(key, generation, config) for key in schema.SPECIAL}
    never = _listed(path, "suppress_tokens", generation, given) + _words(path, generation, given)
    if kind == "seq2seq":
        for key, place in (("decoder_start_token_id", config), ("forced_bos_token_id", given)):
            special[key] = _special(key, generation, place)
        tokens = _encoder_decoder(path, settings, model_type, config, special)
    else:
        tokens = _one_text(path, settings, model_type, special, encoder=kind == "encoder")
    if kind == "decoder":
        tokens.config.update(read_chat_template(path, settings))
    if model_type == "marian":  # transformers forbade it in code, then by bad_words_ids
        never.append(special["pad_token_id"])
    tokens.config["suppress_tokens"] = sorted({i for i in never if i is not None})
    if first := _listed(path, "begin_suppress_tokens", generation, given):
        tokens.config["begin_suppress_tokens"] = sorted(set(first))
    return tokens


def _one_text(
    path: Path,
    settings: Mapping[str, Any],
    model_type: str,
    special: dict[str, Any],
    *,
    encoder: bool,
) -> Tokens:
    """The tokenizer of a language model or an encoder, with what is put around a text.

    A language model's prompt has nothing behind it.
    """
    ends = ("bos", "eos") if encoder else ("bos",)
    longest = optional(path / "sentence_bert_config.json").get("max_seq_length")
    if encoder and longest is not None:
        special["max_sequence_length"] = longest
    found = huggingface_tokenizers.find(path, settings, model_type)
    if found is None:
        keys = {**special, "tokenizer": "none", **{f"add_{end}": False for end in ends}}
        return Tokens(keys)
    keys = {**special, "tokenizer": "tokenizers"}
    with damage_named(found.file):
        # As transformers 5: add_bos_token of tokenizer_config.json changes no tokenizer.json.
        keys["unk_token_id"] = _unknown(found.content)
        for end, added in zip(ends, _added(found), strict=False):
            keys[f"add_{end}"] = bool(added)
            if added:
                keys[f"{end}_token_id"] = _single(found.file, added)
    return Tokens(keys, files={schema.TOKENIZER_FILE: found.tokenizer_file})


def _encoder_decoder(
    path: Path,
    settings: Mapping[str, Any],
    model_type: str,
    config: Mapping[str, Any],
    special: dict[str, Any],
) -> Tokens:
    """Source and target share one tokenizer, or have the pieces of Marian or M2M-100."""
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
    kind = huggingface_tokenizers.tokenizer_class(settings, model_type)
    languages = kind.languages if kind else None
    if model_type == "marian":
        files = {name: path / name for name in schema.SENTENCEPIECE_FILES.values()}
        _add_pieces(tokens, path, config, files)
    elif (path / _SENTENCEPIECE).is_file() and (path / "vocab.json").is_file():
        files = dict.fromkeys(schema.SENTENCEPIECE_FILES.values(), path / _SENTENCEPIECE)
        _add_pieces(tokens, path, config, files, languages)
    elif found := huggingface_tokenizers.find(path, settings, model_type):
        with damage_named(found.file):
            _share(tokens, found, languages)
    if languages:
        _add_languages(tokens, path, settings, languages)
    if tokens.config["forced_bos_token_id"] is None:
        del tokens.config["forced_bos_token_id"]
    return tokens


def _share(tokens: Tokens, found: Found, languages: Languages | None) -> None:
    """One tokenizer for both sides, with what it adds to a source."""
    unknown = _unknown(found.content)
    tokens.config.update(unk_token_id=unknown, source_unk_token_id=unknown)
    tokens.config["tokenizer"] = {"source": "tokenizers", "target": "tokenizers"}
    tokens.files[schema.TOKENIZER_FILE] = found.tokenizer_file
    if languages:
        ids = token_ids(found.content)
        named = {code: ids.get(languages.token.format(code)) for code in languages.codes}
        tokens.config["languages"] = {code: i for code, i in named.items() if i is not None}
        return  # what is added depends on the language
    for name, added in zip(("bos", "eos"), _added(found), strict=True):
        tokens.config[f"add_source_{name}"] = bool(added)
        if added:
            tokens.config[f"source_{name}_token_id"] = _single(found.file, added)


def _add_pieces(
    tokens: Tokens,
    path: Path,
    config: Mapping[str, Any],
    files: Mapping[str, Path],
    languages: Languages | None = None,
) -> None:
    """Pieces of sentencepiece models, whose ids are in vocab.json."""
    vocabulary = path / "vocab.json"
    if not any(file.is_file() for file in (*files.values(), vocabulary)):
        return
    for file in (*files.values(), vocabulary):
        if not file.is_file():
            raise FormatError(f"{file} is missing, which the tokenizer needs")
    own = path / "target_vocab.json"
    for side, file in (("source", vocabulary), ("target", own if own.is_file() else vocabulary)):
        found = read_object(file, TOKENIZER_LIMIT)
        if languages:  # their tokens stand behind the vocabulary
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


def _pieces(file: Path, found: Mapping[str, Any], size: object) -> list[str]:
    """The piece of each id; an id that has none gets a name that no text becomes."""
    # Compared before memory is taken for as many.
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


def _add_languages(
    tokens: Tokens, path: Path, settings: Mapping[str, Any], languages: Languages
) -> None:
    """Where the languages' tokens stand, and which languages are meant if none is named."""
    codes = tokens.config.get("languages")
    if not codes:  # no tokenizer, or one of another model
        tokens.config.pop("languages", None)
        return
    for key, expected in (("legacy_behaviour", False), ("language_codes", "m2m100")):
        if settings.get(key, expected) != expected:
            value = short(settings[key])
            raise Unsupported(f"{path / SETTINGS}: {key} is {value}, expected {expected}")
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


def _special(key: str, generation: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """An id as generation_config.json says, else config.json; -1 is how some say null."""
    value = generation.get(key)
    value = config.get(key) if value is None else value
    if isinstance(value, list) and all(isinstance(i, int) for i in value):
        value = list(dict.fromkeys(value))
    return None if value in (-1, []) else value


def _listed(path: Path, key: str, *places: Mapping[str, Any]) -> list[int]:
    """Ids of a list that may stand in several places."""
    with damage_named(path):
        return [i for settings in places for i in _ids(path, key, settings.get(key) or [])]


def _words(path: Path, *places: Mapping[str, Any]) -> list[int]:
    """The bad_words_ids of one token."""
    with damage_named(path):
        words = [word for settings in places for word in settings.get("bad_words_ids") or []]
    for word in words:
        if len(_ids(path, "bad_words_ids", word)) != 1:
            raise Unsupported(f"{path}: bad_words_ids has {short(word)}, expected single tokens")
    return [word[0] for word in words]


def _ids(path: Path, key: str, ids: object) -> list[int]:
    if not isinstance(ids, list) or not all(type(i) is int for i in ids):
        raise FormatError(f"{path}: {key} has {short(ids)}, expected ids")
    return ids


def _single(file: Path, added: list[int]) -> int:
    if len(added) > 1:
        count = len(added)
        raise Unsupported(f"{file}: {count} tokens are put before or behind a text, expected one")
    return added[0]


def _added(found: Found) -> tuple[list[int], list[int]]:
    """The ids that the post-processor puts before and behind a text."""
    processor = found.content.get("post_processor") or {}
    parts = processor["processors"] if processor.get("type") == "Sequence" else [processor]
    for part in parts:
        if part.get("type") == "TemplateProcessing":
            kinds = [next(iter(item)) for item in part["single"]]
            ids = [
                part["special_tokens"][item["SpecialToken"]["id"]]["ids"]
                if kind == "SpecialToken"
                else []
                for kind, item in zip(kinds, part["single"], strict=True)
            ]
            text = kinds.index("Sequence")
            return [int(i) for one in ids[:text] for i in one], [
                int(i) for one in ids[text:] for i in one
            ]
        if part.get("type") in ("RobertaProcessing", "BertProcessing"):
            return [int(part["cls"][1])], [int(part["sep"][1])]
    return [], []


def _unknown(content: Mapping[str, Any]) -> int | None:
    """The id that stands for what the vocabulary lacks."""
    model = content["model"]
    if isinstance(model.get("unk_id"), int):  # unigram models
        return int(model["unk_id"])
    if not isinstance(model.get("unk_token"), str):
        return None
    found = model["vocab"].get(model["unk_token"])
    return None if found is None else int(found)
