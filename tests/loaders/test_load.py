from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from attnengine.loaders.native.writer import save
from tests.loaders.hostile import FORMATS
from tests.loaders.huggingface.huggingface_files import write_llama, write_safetensors
from tests.loaders.native.native_files import language_model, write_native


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"model does not exist, expected .*native folder"):
        loaders.load(tmp_path / "model")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"is an empty folder, expected .*CTranslate2 folder"):
        loaders.load(tmp_path)


def test_an_unknown_folder_and_file(tmp_path: Path) -> None:
    (tmp_path / "weights.h5").write_bytes(b"\x89HDF")
    with pytest.raises(FormatError, match=r"is a folder with weights\.h5, expected"):
        loaders.load(tmp_path)
    with pytest.raises(FormatError, match=r"weights\.h5 is a file of no known format, expected"):
        loaders.load(tmp_path / "weights.h5")


def test_a_folder_of_another_toolkit(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_spec": "llama"}')
    with pytest.raises(FormatError, match=r"config\.json has neither format, .* nor model_type"):
        loaders.load(tmp_path)


def test_only_the_reader_of_the_format_is_imported(tmp_path: Path) -> None:
    path = write_native(tmp_path / "model")
    code = f"import sys, attnengine.loaders as l; l.load({path.name!r}); print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True).split()
    readers = [name for name in modules if name.endswith(".reader")]
    assert readers == ["attnengine.loaders.native.reader"]


def test_a_path_may_be_text(tmp_path: Path) -> None:
    assert loaders.load(str(write_native(tmp_path / "model"))).path == tmp_path / "model"


@pytest.mark.parametrize("make", FORMATS.values(), ids=FORMATS)
def test_every_format_converts(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    source = make(tmp_path / "source")

    loaders.convert(source, tmp_path / "native")

    before, after = loaders.load(source), loaders.load(tmp_path / "native")
    assert after.config == before.config
    assert after.vocabularies == before.vocabularies
    assert after.tensors.keys() == before.tensors.keys()
    for name, tensor in before.tensors.items():
        np.testing.assert_array_equal(after.tensors[name].read(), tensor.read(), strict=True)


def test_convert_overwrites_nothing(tmp_path: Path) -> None:
    source = write_native(tmp_path / "source")
    (tmp_path / "empty").mkdir()
    loaders.convert(source, tmp_path / "empty")
    for taken in ("empty", "source/config.json"):
        with pytest.raises(InvalidArgument, match="exists, expected a new or empty folder"):
            loaders.convert(source, tmp_path / taken)
    assert loaders.load(source).config == language_model()[0]


def test_a_model_may_be_saved_over_itself(tmp_path: Path) -> None:
    """Mapped weights stay readable when their file is replaced."""
    config, arrays, vocabularies = language_model()
    path = write_native(tmp_path / "model")
    checkpoint = loaders.load(path)
    mapped = {name: tensor.read() for name, tensor in checkpoint.tensors.items()}
    save(path, config, {k: v + 1 for k, v in mapped.items()}, vocabularies)
    for name, array in arrays.items():
        np.testing.assert_array_equal(mapped[name], array)
        np.testing.assert_array_equal(loaders.load(path).tensors[name].read(), array + 1)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 123456\n"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_pointer_of_git_lfs(tmp_path: Path, name: str) -> None:
    write_llama(tmp_path)
    (tmp_path / name).write_bytes(POINTER)
    with pytest.raises(FormatError, match=f"{name} is a pointer of Git LFS, expected the file"):
        ae.load(tmp_path)


def test_a_single_file_that_is_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(POINTER)
    with pytest.raises(FormatError, match=r"model\.gguf is a pointer of Git LFS"):
        ae.load(tmp_path / "model.gguf")


def test_shards_without_their_index(tmp_path: Path) -> None:
    write_llama(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "model-00001-of-00002.safetensors")
    expected = r"shards such as model-00001-of-00002\.safetensors, but their index is missing"
    with pytest.raises(FormatError, match=expected):
        ae.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("_orig_mod.model.norm.weight", FormatError, "begins with '_orig_mod.', as torch.compile"),
        ("score.weight", Unsupported, "'score.weight' is the head of a classifier"),
    ],
)
def test_weights_of_a_wrapper_or_another_head(
    tmp_path: Path, name: str, error: type[Exception], message: str
) -> None:
    write_llama(tmp_path)
    arrays = {name: np.zeros((2, 8), np.float32)}
    write_safetensors(tmp_path / "model.safetensors", arrays)
    with pytest.raises(error, match=message):
        ae.load(tmp_path)
