"""The special tokens and tokenizer files of a transformers folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.text import read_optional
from attnengine.loaders.huggingface.added_tokens import token_ids
from attnengine.loaders.huggingface.chat_templates import read_chat_template
from attnengine.loaders.huggingface.families.family import Kind
from attnengine.loaders.huggingface.seq2seq_tokens import read_seq2seq
from attnengine.loaders.huggingface.tokenizers import Folder, Tokens, find
from attnengine.loaders.shared.speech_tokens import START, speech_tokens


def read_tokens(
    path: Path, given: Mapping[str, Any], config: Mapping[str, Any], *, kind: Kind
) -> Tokens:
    """Read the tokenizer, the special tokens and the chat template.

    given: config.json, in early versions with options of the search.
    config: the same without these options, with a value for every key.
    """
    folder = Folder.read(path, given)
    generation = read_optional(path / "generation_config.json")
    special = {key: _special(key, generation, config) for key in schema.SPECIAL}
    never = _listed(path, "suppress_tokens", generation, given) + _words(path, generation, given)
    if kind == "seq2seq":
        for key, place in (("decoder_start_token_id", config), ("forced_bos_token_id", given)):
            special[key] = _special(key, generation, place)
        tokens = read_seq2seq(folder, config, special)
    elif kind == "speech":
        special["decoder_start_token_id"] = _special("decoder_start_token_id", generation, config)
        tokens = _speech(folder, special, generation, config)
    else:
        tokens = _one_text(folder, special, encoder=kind == "encoder")
    if kind == "decoder":
        tokens.config.update(read_chat_template(path, folder.settings))
    if folder.model_type == "marian":  # transformers forbids it in code or by bad_words_ids
        never.append(special["pad_token_id"])
    tokens.config["suppress_tokens"] = sorted({i for i in never if i is not None})
    if first := _listed(path, "begin_suppress_tokens", generation, given):
        tokens.config["begin_suppress_tokens"] = sorted(set(first))
    return tokens


def _one_text(folder: Folder, special: dict[str, Any], *, encoder: bool) -> Tokens:
    """Read the tokenizer of a language model or an encoder, with the tokens added to a text.

    A language model's prompt gets no token at its end.
    """
    ends = ("bos", "eos") if encoder else ("bos",)
    if encoder:
        special["max_sequence_length"] = _longest(folder)
    found = find(folder)
    if found is None:
        keys = {**special, "tokenizer": "none", **{f"add_{end}": False for end in ends}}
        return Tokens(keys)
    keys = {**special, "tokenizer": "tokenizers"}
    with damage_named(found.file):
        keys.update(unk_token_id=found.unknown, prefix_space=found.prefix_space)
        for end, added in zip(ends, found.around(), strict=False):
            keys[f"add_{end}"] = added is not None
            if added is not None:
                keys[f"{end}_token_id"] = added
    return Tokens(keys, files={schema.TOKENIZER_FILE: found.tokenizer_file})


def _longest(folder: Folder) -> Any:
    """Return the largest number of tokens that a text may have beside the number of positions.

    sentence-transformers' own setting comes before that of the tokenizer. transformers writes
    1e30 where a tokenizer has no limit.
    """
    given = read_optional(folder.path / "sentence_bert_config.json").get("max_seq_length")
    if given is not None:
        return given
    longest = folder.settings.get("model_max_length")
    return longest if isinstance(longest, int) and longest < 2**31 else None


def _speech(
    folder: Folder,
    special: dict[str, Any],
    generation: Mapping[str, Any],
    config: Mapping[str, Any],
) -> Tokens:
    """Read the decoder's prompt tokens from the tokenizer and generation_config.json."""
    found = find(folder)
    files = {schema.TOKENIZER_FILE: found.tokenizer_file} if found else {}
    with damage_named(folder.path):
        ids = token_ids(found.content) if found else {}
        ids.update(generation.get("lang_to_id") or {})
        tasks = generation.get("task_to_id") or {}
        ids.update({f"<|{task}|>": i for task, i in tasks.items()})
        named = {
            "<|notimestamps|>": generation.get("no_timestamps_token_id"),
            START: special["decoder_start_token_id"],
        }
        ids.update({token: i for token, i in named.items() if i is not None})
        keys = speech_tokens(ids, config["vocab_size"])
    return Tokens({**special, "tokenizer": "tokenizers" if found else "none", **keys}, files=files)


def _special(key: str, generation: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """Return an id from generation_config.json, else config.json; -1 means null in some files."""
    value = generation.get(key)
    value = config.get(key) if value is None else value
    if isinstance(value, list) and all(isinstance(i, int) for i in value):
        value = list(dict.fromkeys(value))
    return None if value in (-1, []) else value


def _listed(path: Path, key: str, *places: Mapping[str, Any]) -> list[int]:
    """Return the ids of a list that several files may hold."""
    with damage_named(path):
        return [i for settings in places for i in _ids(path, key, settings.get(key) or [])]


def _words(path: Path, *places: Mapping[str, Any]) -> list[int]:
    """Return bad_words_ids; each must be a single token."""
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
