from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import Error, FormatError, InvalidArgument
from attnengine.loaders.files import safetensors
from attnengine.loaders.native.writer import save
from tests.loaders.native.native_files import language_model, write_native

SEQ2SEQ: dict[str, Any] = {
    "architecture": "rnn_seq2seq",
    "tokenizer": {"source": "characters", "target": "words"},
    "source_vocab_size": 3,
    "target_vocab_size": 4,
    "decoder_start_token_id": 0,
    "add_source_bos": False,
    "add_source_eos": True,
    **dict.fromkeys(["bos_token_id", "pad_token_id", "unk_token_id"]),
    **dict.fromkeys(["source_bos_token_id", "source_pad_token_id", "source_unk_token_id"]),
    "eos_token_id": 1,
    "source_eos_token_id": 2,
}
SIDES = {"source": ["a", "b", "</s>"], "target": ["<s>", "</s>", "A", "B"]}


def changed_config(folder: Path, **changes: Any) -> Path:
    write_native(folder)
    config = {**json.loads((folder / "config.json").read_text()), **changes}
    kept = {key: value for key, value in config.items() if value is not ...}
    (folder / "config.json").write_text(json.dumps(kept))
    return folder


def test_reads_what_another_writer_wrote(tmp_path: Path) -> None:
    config, arrays, vocabularies = language_model()

    checkpoint = loaders.load(write_native(tmp_path / "model"))

    assert checkpoint.config == config
    assert checkpoint.vocabularies["vocabulary"].tokens == tuple(vocabularies["vocabulary"])
    assert checkpoint.vocabularies["vocabulary"].ids["\n"] == 2
    assert checkpoint.tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        tensor = checkpoint.tensors[name]
        assert (tensor.name, tensor.shape, tensor.dtype) == (name, array.shape, "float32")
        np.testing.assert_array_equal(tensor.read(), array)


def test_what_is_saved_loads_the_same(tmp_path: Path) -> None:
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "b": np.array([1, 1 / 3], np.float64),
        "c": np.array(0.5, np.float16),
        "d": np.array([1.5, -2], ">f4"),
    }

    save(tmp_path / "new" / "model", SEQ2SEQ, arrays, SIDES)
    checkpoint = loaders.load(tmp_path / "new" / "model")

    assert checkpoint.config == SEQ2SEQ
    assert {k: list(v.tokens) for k, v in checkpoint.vocabularies.items()} == SIDES
    for name, array in arrays.items():
        read = checkpoint.tensors[name].read()
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, array.astype(np.float32))
    files = {file.name for file in (tmp_path / "new" / "model").iterdir()}
    assert files == {
        "config.json",
        "model.safetensors",
        "source_vocabulary.json",
        "target_vocabulary.json",
    }


def test_a_safetensors_file_finds_its_config(tmp_path: Path) -> None:
    folder = write_native(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    assert "rnn.weight_hh_l0" in loaders.load(folder / "other.safetensors").tensors


def test_saving_replaces_another_model(tmp_path: Path) -> None:
    config, arrays, vocabularies = language_model()
    save(tmp_path, SEQ2SEQ, {}, SIDES)

    save(tmp_path, config, arrays, vocabularies)

    assert loaders.load(tmp_path).config == config
    assert not (tmp_path / "source_vocabulary.json").exists()


def test_a_failed_save_leaves_the_model_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, arrays, vocabularies = language_model()
    save(tmp_path, config, arrays, vocabularies)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def fails(path: Path, tensors: object) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(safetensors, "write", fails)
    with pytest.raises(OSError, match="disk full"):
        save(tmp_path, config, arrays, vocabularies)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "format is 'other', expected 'attnengine'"),
        ({"format": ...}, "config.json has neither format, .* nor model_type"),
        ({"format_version": 2}, "format_version is 2, and this attnengine reads up to 1"),
        ({"format_version": "1"}, "format_version is '1', expected 1"),
        ({"format_version": True}, "format_version is True, expected 1"),
        ({"architecture": 3}, "architecture is 3, expected a name"),
        ({"architecture": ...}, "architecture is missing"),
        ({"tokenizer": "bpe"}, "tokenizer is 'bpe', expected one of characters, words, none"),
        ({"tokenizer": ["words"]}, "tokenizer is"),
        ({"tokenizer": {"source": "words"}}, "expected keys source and target"),
        ({"vocab_size": 0}, "vocab_size is 0, expected an integer of at least 1"),
        ({"vocab_size": 6}, "the vocabulary vocabulary has 5 tokens, expected 6"),
        ({"vocab_size": 5.0}, "vocab_size is 5.0"),
        ({"bos_token_id": 5}, "bos_token_id is 5, expected null or 0 to 4"),
        ({"bos_token_id": -1}, "bos_token_id is -1"),
        ({"bos_token_id": False}, "bos_token_id is False"),
        ({"bos_token_id": [1]}, r"bos_token_id is \[1\]"),
        ({"pad_token_id": ...}, "pad_token_id is missing"),
        ({"eos_token_id": []}, "eos_token_id is"),
        ({"eos_token_id": [3, 3]}, "expected different ids below 5"),
        ({"eos_token_id": [3, "4"]}, "eos_token_id is"),
    ],
)
def test_config_errors_name_key_value_and_expectation(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        loaders.load(changed_config(tmp_path / "model", **changes))
    assert "config.json" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"add_source_bos": True}, "source_bos_token_id is None, expected an id, because"),
        ({"add_source_eos": 1}, "add_source_eos is 1, expected true or false"),
        ({"decoder_start_token_id": 4}, "decoder_start_token_id is 4, expected null or 0 to 3"),
        ({"source_eos_token_id": 3}, "source_eos_token_id is 3, expected null or 0 to 2"),
        ({"tokenizer": {"source": "words", "target": "bpe"}}, "tokenizer.target is 'bpe'"),
        ({"format_version": 1}, "format_version is written by save"),
        ({"hidden_size": np.int64(3)}, "cannot be written as JSON"),
        ({"norm_eps": float("nan")}, "cannot be written as JSON"),
    ],
)
def test_save_refuses_what_load_would(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        save(tmp_path / "model", {**SEQ2SEQ, **changes}, {}, SIDES)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("tensors", "vocabularies", "message"),
    [
        ({"a": np.arange(3)}, SIDES, "a is int64, expected float16, float32 or float64"),
        ({"": np.zeros(1)}, SIDES, "'' is no name"),
        ({}, {"source": SIDES["source"]}, "the target vocabulary is missing, tokenizer is 'words'"),
        ({}, {**SIDES, "vocabulary": ["a"]}, "vocabulary 'vocabulary', expected source and target"),
        ({}, {**SIDES, "source": ["a", "b", "\ud800"]}, "token 2 of the source vocabulary"),
    ],
)
def test_save_refuses_weights_and_tokens(
    tmp_path: Path, tensors: Any, vocabularies: Any, message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        save(tmp_path / "model", SEQ2SEQ, tensors, vocabularies)


def test_a_vocabulary_may_be_absent_without_a_tokenizer(tmp_path: Path) -> None:
    config = {**SEQ2SEQ, "tokenizer": {"source": "none", "target": "words"}}
    save(tmp_path, config, {}, {"target": SIDES["target"]})
    assert loaders.load(tmp_path).vocabularies.keys() == {"target"}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", b"[1]", "expected a JSON object"),
        ("config.json", b'{"a": 1, "a": 2}', "key 'a' stands twice"),
        ("config.json", b'{"a": NaN}', "NaN is not JSON"),
        ("config.json", b"[" * 100_000, "RecursionError"),
        ("config.json", b'{"a": ' + b"9" * 10_000 + b"}", "ValueError"),
        ("config.json", b" " * ((1 << 20) + 1), "expected up to 1048576"),
        ("config.json", b'{"a": "\xff"}', "UnicodeDecodeError"),
        ("vocabulary.json", b'{"a": 0}', "expected a list of strings"),
        ("vocabulary.json", b'["a", 0]', "expected a list of strings"),
        ("model.safetensors", b"", "is empty"),
        ("model.safetensors", b"1234", "the header's size is 8 bytes at offset 0"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, file: str, content: bytes, message: str) -> None:
    folder = write_native(tmp_path / "model")
    (folder / file).write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        loaders.load(folder)
    assert file in str(caught.value)


@pytest.mark.parametrize("file", ["vocabulary.json", "model.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    folder = write_native(tmp_path / "model")
    (folder / file).unlink()
    with pytest.raises(Error, match=f"{file.partition('.')[0]}.* is missing"):
        loaders.load(folder)


def test_a_fingerprint_changes_with_config_and_weights(tmp_path: Path) -> None:
    config, arrays, vocabularies = language_model()

    def fingerprint() -> str:
        found = loaders.load(tmp_path).fingerprint
        assert found is not None
        return found()

    save(tmp_path, config, arrays, vocabularies)
    first = fingerprint()
    assert fingerprint() == first
    save(tmp_path, {**config, "bos_token_id": 0}, arrays, vocabularies)
    second = fingerprint()
    arrays["rnn.weight_hh_l0"][0, 0] += 1
    save(tmp_path, {**config, "bos_token_id": 0}, arrays, vocabularies)
    assert len({first, second, fingerprint()}) == 3
    assert loaders.load(tmp_path / "model.safetensors").fingerprint is None
