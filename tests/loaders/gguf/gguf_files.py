"""Writes small GGUF files without attnengine's reader."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.loaders.arrays import random_arrays
from tests.loaders.huggingface.huggingface_files import VISIBLE

# GGUF's type numbers: metadata values by NumPy type, weights by format
VALUES = {
    **{"uint8": 0, "int8": 1, "uint16": 2, "int16": 3, "uint32": 4, "int32": 5, "float32": 6},
    **{"bool": 7, "uint64": 10, "int64": 11, "float64": 12},
}
STRING, ARRAY = 8, 9
TYPES = {
    **{"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q2_K": 10},
    **{"Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "BF16": 30},
}
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


@dataclass(frozen=True)
class Stored:
    """A tensor as the file stores it; its sizes stand in the file's order, fastest axis first."""

    kind: int
    sizes: tuple[int, ...]
    data: bytes
    offset: int | None = None  # None: directly behind the previous tensor


def stored(array: NDArray[Any]) -> Stored:
    kind = {"float32": "F32", "float16": "F16", "uint16": "BF16"}[str(array.dtype)]
    return Stored(TYPES[kind], array.shape[::-1], array.tobytes())


def gguf_bytes(
    metadata: Mapping[str, Any], tensors: Mapping[str, Stored], version: int = 3
) -> bytes:
    alignment = int(metadata.get("general.alignment", 32))
    entries, data = b"", b""
    for name, tensor in tensors.items():
        offset = len(data) if tensor.offset is None else tensor.offset
        entries += text(name) + struct.pack("<I", len(tensor.sizes))
        entries += struct.pack(f"<{len(tensor.sizes)}Q", *tensor.sizes)
        entries += struct.pack("<IQ", tensor.kind, offset)
        data = padded(data + tensor.data, alignment)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    head += b"".join(text(key) + value_bytes(value) for key, value in metadata.items())
    return padded(head + entries, alignment) + data


def padded(data: bytes, alignment: int) -> bytes:
    return data + bytes(-len(data) % max(alignment, 1))


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def value_bytes(value: Any) -> bytes:
    """int becomes u32, float f32; NumPy scalars and arrays keep their type; bytes stay."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return struct.pack("<I", STRING) + text(value)
    if isinstance(value, list):
        joined = b"".join(map(text, value))
        return struct.pack("<IIQ", ARRAY, STRING, len(value)) + joined
    if isinstance(value, (bool, np.bool_)):
        value = np.bool_(value)
    elif isinstance(value, (int, float)):
        value = (np.uint32 if isinstance(value, int) else np.float32)(value)
    number = struct.pack("<I", VALUES[str(value.dtype)])
    if isinstance(value, np.ndarray):
        number = struct.pack("<I", ARRAY) + number + struct.pack("<Q", value.size)
    return number + bytes(value.tobytes())


# ---- a model ----------------------------------------------------------------------------

VOCABULARY = ["<|end|>", "<|start|>", *VISIBLE, "Ġa", "Ã©", "Ġab"]
MERGES = ["Ġ a", "Ã ©", "Ġa b"]
TOKENIZER: dict[str, Any] = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": VOCABULARY,
    "tokenizer.ggml.token_type": np.array(
        [CONTROL, CONTROL] + [NORMAL] * (len(VOCABULARY) - 2), np.int32
    ),
    "tokenizer.ggml.merges": MERGES,
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 0,
    "tokenizer.ggml.add_bos_token": False,
    "tokenizer.chat_template": "{{ messages[0].content }}",
}
BYTES = [f"<0x{byte:02X}>" for byte in range(128)]
PIECES = {"<unk>": UNKNOWN, "<s>": CONTROL, "</s>": CONTROL, **dict.fromkeys(BYTES, BYTE)}


def vocabulary(
    tokens: list[str], types: Mapping[str, int], size: int = len(VOCABULARY)
) -> dict[str, Any]:
    """Tokens with padding up to `size`, the rows of the embedding; `types` defaults to NORMAL."""
    tokens = tokens + [f"[PAD{i}]" for i in range(size - len(tokens))]
    kinds = [types.get(token, NORMAL) for token in tokens]
    return {"tokens": tokens, "token_type": np.array(kinds, np.int32)}


def sentencepiece_keys(scores: Mapping[str, float], types: Mapping[str, int]) -> dict[str, Any]:
    """Keys of tokenizer.ggml for byte pieces, a space and pieces with scores."""
    tokens = [*PIECES, "▁", *scores]
    listed = vocabulary(tokens, {**PIECES, **types})
    numbers = np.zeros(len(VOCABULARY), np.float32)
    numbers[len(PIECES) + 1 : len(tokens)] = list(scores.values())
    ids = {"bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0}
    return {"model": "llama", "pre": "default", **listed, "scores": numbers, **ids}


LLAMA: dict[str, Any] = {
    "general.architecture": "llama",
    "general.name": "tiny",
    "llama.block_count": 1,
    "llama.context_length": 16,
    "llama.embedding_length": 32,
    "llama.feed_forward_length": 32,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.dimension_count": 8,
    "llama.rope.freq_base": 10000.0,
    "llama.vocab_size": len(VOCABULARY),
}
LLAMA_SHAPES: dict[str, tuple[int, ...]] = {
    "token_embd.weight": (len(VOCABULARY), 32),
    "blk.0.attn_norm.weight": (32,),
    "blk.0.attn_q.weight": (32, 32),
    "blk.0.attn_k.weight": (16, 32),
    "blk.0.attn_v.weight": (16, 32),
    "blk.0.attn_output.weight": (32, 32),
    "blk.0.ffn_norm.weight": (32,),
    "blk.0.ffn_gate.weight": (32, 32),
    "blk.0.ffn_up.weight": (32, 32),
    "blk.0.ffn_down.weight": (32, 32),
    "output_norm.weight": (32,),
}


def q8_0(array: NDArray[np.float32]) -> Stored:
    """Weights rounded to Q8_0: blocks of 32 integers with one scale."""
    blocks = array.reshape(-1, 32)
    scales = (np.abs(blocks).max(axis=1) / 127).astype(np.float16)
    numbers = np.round(blocks / scales.astype(np.float32)[:, None]).astype(np.int8)
    data = b"".join(
        scale.tobytes() + row.tobytes() for scale, row in zip(scales, numbers, strict=True)
    )
    return Stored(TYPES["Q8_0"], array.shape[::-1], data)


def llama_tensors() -> dict[str, Stored]:
    """Matrices in Q8_0 and norms in float32, like llama.cpp's quantiser."""
    arrays = random_arrays(LLAMA_SHAPES)
    return {name: (q8_0 if a.ndim == 2 else stored)(a) for name, a in arrays.items()}


def write_gguf(path: Path, metadata: Mapping[str, Any], tensors: Mapping[str, Stored]) -> Path:
    path.write_bytes(gguf_bytes(metadata, tensors))
    return path


def write_llama_gguf(folder: Path, **changes: Any) -> Path:
    """Write one file into a folder; the value ``...`` drops a key of the metadata."""
    folder.mkdir(exist_ok=True)
    metadata = {**LLAMA, **TOKENIZER, **changes}
    kept = {key: value for key, value in metadata.items() if value is not ...}
    return write_gguf(folder / "model.gguf", kept, llama_tensors())


def write_sentencepiece_gguf(folder: Path) -> Path:
    scores = {"a": -3.0, "b": -4.0, "ab": -1.0, "▁a": -2.0}
    return write_tokenizer_gguf(folder, sentencepiece_keys(scores, {}))


def write_unigram_gguf(folder: Path) -> Path:
    scores = {"a": -3.0, "b": -4.0, "ab": -1.0, "▁a": -2.0}
    kind = {"model": "t5", "add_eos_token": False}
    return write_tokenizer_gguf(folder, sentencepiece_keys(scores, {}) | kind)


def write_word_piece_gguf(folder: Path) -> Path:
    listed = vocabulary(["[PAD]", "[UNK]", "▁un", "able"], {"[PAD]": CONTROL, "[UNK]": CONTROL})
    kind = {"model": "bert", "add_eos_token": False, "unknown_token_id": 1}
    return write_tokenizer_gguf(folder, listed | kind)


def write_tokenizer_gguf(folder: Path, keys: Mapping[str, Any]) -> Path:
    changes = {f"tokenizer.ggml.{key}": value for key, value in keys.items()}
    return write_llama_gguf(folder, **{"tokenizer.ggml.merges": ..., **changes})
