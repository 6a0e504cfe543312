"""Architectures: one file each says its config and how its weights become layers."""

from __future__ import annotations

from attnengine.models import (
    gpt2,
    llama,
    marian,
    qwen2,
    rnn_encoder,
    rnn_lm,
    rnn_seq2seq,
    transformer,
    transformer_lm,
)
from attnengine.models.registry import build

__all__ = [
    "build",
    "gpt2",
    "llama",
    "marian",
    "qwen2",
    "rnn_encoder",
    "rnn_lm",
    "rnn_seq2seq",
    "transformer",
    "transformer_lm",
]
