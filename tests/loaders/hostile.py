"""Damages files of one format and loads each: every file must load or be refused.

    python hostile.py FORMAT FOLDER MUTATIONS

prints the number of loaded files, the number of refused files and the largest memory that a load
took.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import struct
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

from attnengine import loaders
from attnengine.chat import prompt
from attnengine.errors import Error
from attnengine.tokenizers import open_tokenizer
from tests.loaders.charrnn.charrnn_files import write_charrnn
from tests.loaders.ctranslate2 import ctranslate2_files as ctranslate2
from tests.loaders.elmo.elmo_files import write_elmo
from tests.loaders.g2p_en.g2p_en_files import write_g2p_en
from tests.loaders.gguf import gguf_files
from tests.loaders.golden_toolkits import FOLDER
from tests.loaders.huggingface import huggingface_files, speech_files, tokenizer_files
from tests.loaders.keras import keras_files
from tests.loaders.marian import marian_files
from tests.loaders.native import native_files
from tests.loaders.opennmt import opennmt_files

MIB = 1 << 20


def copied(name: str, file: str = "") -> Callable[[Path], Path]:
    """Copies the folder of a model that its toolkit wrote; returns the folder or a file in it."""

    def copy(folder: Path) -> Path:
        shutil.copytree(FOLDER / name, folder)
        (folder / "expected.json").unlink()
        return folder / file

    return copy


# name -> function that writes a small model into a folder and returns the path to load
FORMATS: dict[str, Callable[[Path], Path]] = {
    "native": native_files.write_native,
    "npz": native_files.write_npz,
    "npz, packed": lambda folder: native_files.write_npz(folder, packed=True),
    "opennmt npz": opennmt_files.write_opennmt_npz,
    "opennmt legacy pt": opennmt_files.write_opennmt_pt,
    "opennmt zip pt": lambda folder: opennmt_files.write_opennmt_pt(folder, legacy=False),
    "opennmt transformer": copied("opennmt-3-transformer", "model_step_1.pt"),
    "fairseq": copied("fairseq-projected", "model.pt"),
    "joeynmt": copied("joeynmt-gru"),
    "nematus": marian_files.write_nematus,
    "marian s2s": marian_files.write_s2s,
    "marian transformer": marian_files.write_transformer,
    "ctranslate2": ctranslate2.write_ctranslate2,
    "ctranslate2 v1 int8": lambda folder: ctranslate2.write_ctranslate2(folder, 1, "int8"),
    "ctranslate2 v3 int16": lambda folder: ctranslate2.write_ctranslate2(folder, 3, "int16"),
    "ctranslate2 v6 bfloat16": lambda folder: ctranslate2.write_ctranslate2(folder, 6, "bfloat16"),
    "ctranslate2 decoder": lambda folder: ctranslate2.write_decoder(
        folder, ctranslate2.decoder(), "int8"
    ),
    "ctranslate2 llama": lambda folder: ctranslate2.write_decoder(
        folder, ctranslate2.llama(), "float16"
    ),
    "ctranslate2 encoder": lambda folder: ctranslate2.write_one_vocabulary(
        folder, ctranslate2.encoder(), "TransformerEncoderSpec"
    ),
    "ctranslate2 whisper": lambda folder: ctranslate2.write_one_vocabulary(
        folder, ctranslate2.whisper(), "WhisperSpec", "int8"
    ),
    "huggingface whisper": speech_files.write_whisper,
    "gguf": gguf_files.write_llama_gguf,
    "gguf, sentencepiece": gguf_files.write_sentencepiece_gguf,
    "gguf, unigram": gguf_files.write_unigram_gguf,
    "gguf, word pieces": gguf_files.write_word_piece_gguf,
    "huggingface": huggingface_files.write_sharded_llama,
    "huggingface marian": huggingface_files.write_marian,
    "keras": keras_files.write_keras,
    "textgenrnn": keras_files.write_textgenrnn,
    "elmo": write_elmo,
    "charrnn": write_charrnn,
    "g2p_en": write_g2p_en,
    "huggingface pieces": tokenizer_files.write_pieces,
    "huggingface merges": tokenizer_files.write_merges,
    "huggingface word pieces": tokenizer_files.write_word_pieces,
    "huggingface chat": tokenizer_files.write_chat,
}


def load_all(path: Path) -> int:
    """Load a model with all its weights; return the bytes that its weights take as floats."""
    checkpoint = loaders.load(path)
    if checkpoint.config["tokenizer"] == "tokenizers":
        tokenizer = open_tokenizer(checkpoint)
        tokenizer.decode(tokenizer.encode("ab \u00e9 ab"))
        if "chat_template" in checkpoint.config:
            prompt(checkpoint.config, tokenizer, [{"role": "user", "content": "ab"}], None, {})
    return sum(tensor.read().nbytes for tensor in checkpoint.tensors.values())


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Damage data once or twice: cut, flip, overwrite, enlarge a number, insert, remove, repeat."""
    for _ in range(rng.choice((1, 1, 2))):
        data = _damage_once(data, rng) or b"\0"
    return data


def _damage_once(data: bytes, rng: random.Random) -> bytes:
    # Headers stand at the start of a file, in archives at the end.
    near = min(600, len(data))
    zones = (rng.randrange(near), len(data) - 1 - rng.randrange(near), rng.randrange(len(data)))
    at = rng.choice(zones) if data else 0
    length = rng.choice((1, 2, 4, 8, 40))
    kind = rng.randrange(8)
    if kind == 0:
        return data[:at] or b"\0"
    if kind == 1:
        return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
    if kind == 2:
        return data[:at] + rng.randbytes(length) + data[at + length :]
    if kind == 3:
        return data[:at] + rng.choice((b"\xff", b"\0", b"}", b"(")) * length + data[at + length :]
    if kind == 4:
        number = rng.choice((1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1))
        size = rng.choice((4, 8))
        return data[:at] + struct.pack("<Q", number)[:size] + data[at + size :]
    if kind == 5:
        return data[:at] + rng.randbytes(length) + data[at:]
    if kind == 6:
        return data[:at] + data[at + length :] or b"\0"
    return _enlarged_digit(data, at)


def _enlarged_digit(data: bytes, at: int) -> bytes:
    """Insert digits into a number that is written as text."""
    for i in range(at, len(data)):
        if data[i : i + 1].isdigit():
            return data[:i] + b"9" * 12 + data[i:]
    return data[:at]


def attempt(path: Path) -> tuple[bool, int]:
    """Load one damaged model; return whether it loaded and its memory beyond the weights."""
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    weights = 0
    try:
        weights = load_all(path)
        loaded = True
    except Error as error:
        if isinstance(error.__cause__, MemoryError):
            raise AssertionError(f"ran out of memory instead of refusing: {error}") from error
        loaded = False
    _, peak = tracemalloc.get_traced_memory()
    return loaded, peak - before - 8 * weights


def limit_memory() -> None:
    """Limit the address space to current use, the 64 MiB that loaders may take, and slack."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 96 * MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(kind: str, folder: Path, mutations: int) -> None:
    """Damage one random file of the model per mutation; each mutation has its own seed."""
    warnings.simplefilter("error")
    path = FORMATS[kind](folder)
    load_all(path)
    originals = {file: file.read_bytes() for file in sorted(folder.iterdir())}
    largest = max(originals, key=lambda file: len(originals[file]))
    tracemalloc.start()
    if sys.platform == "linux":
        limit_memory()
    loaded, worst = 0, 0
    for seed in range(mutations):
        rng = random.Random(seed)
        file = rng.choice((largest, largest, rng.choice(list(originals))))
        file.write_bytes(damaged(originals[file], rng))
        try:
            survived, taken = attempt(path)
        except BaseException:
            print(f"{kind}: mutation {seed} of {file.name}", file=sys.stderr)
            raise
        loaded, worst = loaded + survived, max(worst, taken)
        file.write_bytes(originals[file])
    print(json.dumps({"loaded": loaded, "refused": mutations - loaded, "memory": worst}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
