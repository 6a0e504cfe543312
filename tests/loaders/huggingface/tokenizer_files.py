"""Writes transformers folders with other tokenizer files than tokenizer.json."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from tests.loaders.huggingface.huggingface_files import (
    PIECES,
    VISIBLE,
    sentencepiece_model,
    write_json,
    write_llama,
    write_safetensors,
)


def write_tokenizer(folder: Path, name: str, content: bytes, **settings: Any) -> Path:
    """Write a folder with few weights, a tokenizer file and a tokenizer_config.json."""
    write_llama(folder, weights=False, vocab_size=300, bos_token_id=1, eos_token_id=2)
    write_safetensors(folder / "model.safetensors", {"model.norm.weight": np.ones(2, np.float32)})
    write_json(folder / "tokenizer_config.json", settings)
    (folder / name).write_bytes(content)
    return folder


def write_pieces(folder: Path) -> Path:
    """Write tokenizer.model with a normalisation that changes nothing, and added tokens."""
    charsmap = struct.pack("<I", 1024) + bytes(1024) + b"\0"  # size of a trie, the trie, texts
    size = bytes([len(charsmap) & 127 | 128, len(charsmap) >> 7])
    normalizer = b"\x12" + size + charsmap  # field 2
    size = bytes([len(normalizer) & 127 | 128, len(normalizer) >> 7])
    content = b"\x1a" + size + normalizer + sentencepiece_model(PIECES)  # field 3
    decoder = {"9": {"content": "<call>", "special": True}, "1": {"content": "<s>"}}
    write_tokenizer(folder, "tokenizer.model", content, added_tokens_decoder=decoder)
    write_json(folder / "added_tokens.json", {"<call>": 9, "<more>": 12})
    write_json(folder / "special_tokens_map.json", {"eos_token": {"content": "</s>"}})
    return folder


def write_merges(folder: Path) -> Path:
    """Write vocab.json and merges.txt."""
    merges = "#version: 0.2\nĠ a\nĠa b\na b\nab ab\n".encode()
    write_tokenizer(folder, "merges.txt", merges, tokenizer_class="GPT2Tokenizer")
    tokens = ["<|endoftext|>", *VISIBLE, "Ġa", "Ġab", "ab", "abab"]
    write_json(folder / "vocab.json", {token: i for i, token in enumerate(tokens)})
    write_json(folder / "added_tokens.json", {"<call>": 270})
    return folder


def write_word_pieces(folder: Path) -> Path:
    """Write vocab.txt."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ab", "a", "##b", "##é", "é"]
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    write_json(
        write_tokenizer(folder, "vocab.txt", "\n".join(tokens).encode(), **settings)
        / "special_tokens_map.json",
        {"cls_token": "[CLS]"},
    )
    return folder


def write_chat(folder: Path) -> Path:
    """Write a chat template beside a tokenizer."""
    template = (
        "{{ bos_token }}{% set ns = namespace(n=0) %}{% for m in messages %}"
        "{% for i in range(9) %}{{ m['role'] ~ m.content * 2 + 'x' }}{% set ns.n = ns.n + 1 %}"
        "{% endfor %}{% endfor %}{{ [ns.n, messages]|tojson(indent=2) }}"
    )
    write_merges(folder)
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder
