"""Writes small transformers folders without transformers or any tokenizer library."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attnengine import loaders
from tests.loaders.arrays import Arrays, random_arrays
from tests.loaders.files.safetensors_files import safetensors_bytes
from tests.loaders.files.torch_files import tensor_call, write_zip

BYTES = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
# GPT-2's vocabulary writes these bytes as other characters.
OTHERS = {byte: chr(256 + i) for i, byte in enumerate(b for b in range(256) if b not in BYTES)}
VISIBLE = [OTHERS.get(byte, chr(byte)) for byte in range(256)]


# ---- tokenizer.json ---------------------------------------------------------------------


def _tokenizer(
    vocab: Mapping[str, int], merges: list[str], special: list[str], **parts: Any
) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    return {
        "version": "1.0",
        # left over from a batch; the loader must neither truncate nor pad texts
        "truncation": {
            "direction": "Right",
            "max_length": 3,
            "strategy": "LongestFirst",
            "stride": 0,
        },
        "padding": None,
        "added_tokens": [
            {"id": vocab[token], "content": token, **flags, "special": True} for token in special
        ],
        "normalizer": parts.get("normalizer"),
        "pre_tokenizer": parts.get("pre_tokenizer"),
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, text],
            "pair": [begin, text, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [vocab["<s>"]], "tokens": ["<s>"]}},
        },
        "decoder": parts["decoder"],
        "model": _bpe(vocab, merges, parts.get("unk_token")),
    }


def _bpe(vocab: Mapping[str, int], merges: list[str], unk_token: str | None) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unk_token,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": unk_token is not None,
        "vocab": vocab,
        "merges": merges,
    }


def byte_level_tokenizer() -> dict[str, Any]:
    """A tokenizer like GPT-2's, Llama 3's and Qwen2's: all bytes and three merges, 261 tokens."""
    tokens = ["<s>", "</s>", *VISIBLE, "Ġa", "Ã©", "Ġab"]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    level["use_regex"] = True
    vocab = {token: i for i, token in enumerate(tokens)}
    merges = ["Ġ a", "Ã ©", "Ġa b"]
    return _tokenizer(vocab, merges, ["<s>", "</s>"], pre_tokenizer=level, decoder=level)


def byte_fallback_tokenizer() -> dict[str, Any]:
    """A tokenizer like Llama 1's and 2's: pieces, and bytes for other text, 265 tokens."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += ["▁", "a", "b", "é", "▁a", "▁ab"]
    normalizer = {
        "type": "Sequence",
        "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ],
    }
    decoder = {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    }
    vocab = {token: i for i, token in enumerate(tokens)}
    parts = {"normalizer": normalizer, "decoder": decoder, "unk_token": "<unk>"}
    return _tokenizer(vocab, ["▁ a", "▁a b"], ["<unk>", "<s>", "</s>"], **parts)


def sentencepiece_model(
    pieces: Mapping[str, float], *, remove_extra_whitespaces: bool = True
) -> bytes:
    """A unigram model: a ModelProto with pieces, trainer_spec and normalizer_spec."""

    def message(number: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes([number << 3 | 2, len(content)]) + content

    def piece(text: str, score: float, kind: int) -> bytes:
        start = message(1, text.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", score)
        return message(1, start + bytes([3 << 3, kind]))

    listed = [piece("<unk>", 0, 2), piece("<s>", 0, 3), piece("</s>", 0, 3)]
    listed += [piece(text, score, 1) for text, score in pieces.items()]
    normalizer = message(1, b"identity") + bytes([4 << 3, remove_extra_whitespaces])
    return b"".join(listed) + message(2, bytes([3 << 3, 1])) + message(3, normalizer)


# ---- folders ----------------------------------------------------------------------------

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 261,
    "hidden_size": 4,
    "intermediate_size": 6,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "torch_dtype": "float16",
    "transformers_version": "4.40.0",
}
LLAMA_SHAPES: dict[str, tuple[int, ...]] = {
    "model.embed_tokens.weight": (261, 4),
    "model.layers.0.input_layernorm.weight": (4,),
    "model.layers.0.mlp.up_proj.weight": (6, 4),
    "model.norm.weight": (4,),
    "lm_head.weight": (261, 4),
}
PIECES = {"▁a": -1.0, "b": -2.0, "▁": -3.0, "a": -4.0, "c": -4.0}
MARIAN: dict[str, Any] = {
    "architectures": ["MarianMTModel"],
    "model_type": "marian",
    "vocab_size": 8,
    "d_model": 4,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "num_hidden_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 6,
    "decoder_ffn_dim": 6,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 7,
    "decoder_start_token_id": 7,
    "bad_words_ids": [[7]],
    "normalize_before": False,
    "static_position_embeddings": True,
}
MARIAN_SHAPES: dict[str, tuple[int, ...]] = {
    "final_logits_bias": (1, 8),
    "model.shared.weight": (8, 4),
    "model.encoder.layers.0.fc1.weight": (6, 4),
    "model.decoder.layers.0.fc1.weight": (6, 4),
}
MARIAN_VOCABULARY = {"</s>": 0, "<unk>": 1, "▁a": 2, "b": 3, "▁": 4, ">>fra<<": 5, "<pad>": 7}


def write_safetensors(path: Path, arrays: Arrays) -> Path:
    header, data = {}, b""
    for name, array in arrays.items():
        kind = {"float32": "F32", "float16": "F16", "uint16": "BF16", "bool": "BOOL"}
        offsets = [len(data), len(data) + array.nbytes]
        header[name] = {
            "dtype": kind[str(array.dtype)],
            "shape": array.shape,
            "data_offsets": offsets,
        }
        data += array.tobytes()
    path.write_bytes(safetensors_bytes(header, data))
    return path


def write_shards(folder: Path, arrays: Arrays) -> Path:
    """Write two shards and their index."""
    names = list(arrays)
    places = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        shard = f"model-{number:05}-of-00002.safetensors"
        write_safetensors(folder / shard, {name: arrays[name] for name in part})
        places.update(dict.fromkeys(part, shard))
    return write_json(folder / "model.safetensors.index.json", {"weight_map": places})


def write_bin(path: Path, arrays: Arrays) -> Path:
    """Write a state dictionary like torch.save; the same array twice shares its storage."""
    storages: dict[str, Any] = {}
    calls = {}
    kinds = {"float32": "FloatStorage", "float16": "HalfStorage", "uint16": "BFloat16Storage"}
    kinds["bool"] = "BoolStorage"
    for name, array in arrays.items():
        key = next((k for k, known in storages.items() if known is array), str(len(storages)))
        storages[key] = array
        calls[name] = tensor_call(array, key, kinds[str(array.dtype)], legacy=False)
    return write_zip(path, calls, storages)


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_llama(
    folder: Path, *, tokenizer: dict[str, Any] | None = None, weights: bool = True, **changes: Any
) -> Path:
    """Write a folder with one file of float32 weights; ``...`` drops a key of the config."""
    folder.mkdir(exist_ok=True)
    config = {k: v for k, v in {**LLAMA, **changes}.items() if v is not ...}
    write_json(folder / "config.json", config)
    if weights:
        write_safetensors(folder / "model.safetensors", random_arrays(LLAMA_SHAPES))
    if tokenizer is not None:
        write_json(folder / "tokenizer.json", tokenizer)
    return folder


def write_sharded_llama(folder: Path) -> Path:
    write_llama(folder, tokenizer=byte_level_tokenizer(), weights=False)
    write_shards(folder, random_arrays(LLAMA_SHAPES))
    write_json(folder / "generation_config.json", {"eos_token_id": [1, 5]})
    return folder


def write_marian(folder: Path, *, tokenizer: bool = True, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", {**MARIAN, **changes})
    arrays = random_arrays(MARIAN_SHAPES)
    # early files hold tied weights under every name, and the sinusoids
    for name in ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"):
        arrays[name] = arrays["model.shared.weight"]
    arrays["model.encoder.embed_positions.weight"] = np.ones((5, 4), np.float32)
    write_bin(folder / "pytorch_model.bin", arrays)
    if tokenizer:
        write_json(folder / "vocab.json", MARIAN_VOCABULARY)
        for name in ("source.spm", "target.spm"):
            (folder / name).write_bytes(sentencepiece_model(PIECES))
    return folder


def config_of(folder: Path) -> dict[str, Any]:
    """The config of a loaded folder."""
    return loaders.load(folder).config
