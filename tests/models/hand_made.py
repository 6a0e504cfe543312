"""Layers of size 4 assembled by hand; a test changes one part."""

from __future__ import annotations

from typing import Any

import numpy as np

from attnengine import _core


def linear(out_size: int, in_size: int) -> _core.Linear:
    return _core.Linear(np.ones((out_size, in_size), np.float32))


def gru(hidden: int = 4, size: int = 4) -> _core.Cell:
    return _core.GRUCell(input=linear(3 * hidden, size), recurrent=linear(3 * hidden, hidden))


def lstm() -> _core.Cell:
    return _core.LSTMCell(input=linear(16, 4), recurrent=linear(16, 4))


def embedding() -> _core.Embedding:
    return _core.Embedding(np.ones((13, 4), np.float32))


def encoder(*cells: _core.Cell, all_states: bool = False) -> _core.RnnEncoder:
    return _core.RnnEncoder(
        embedding=embedding(),
        layers=[_core.RnnLayer(forward=cell) for cell in cells],
        all_states=all_states,
    )


def decoder(**changes: Any) -> _core.RnnDecoder:
    parts = {"embedding": embedding(), "cells": [gru()], "output": linear(13, 4)}
    return _core.RnnDecoder(**parts | changes)


def attending(**changes: Any) -> _core.RnnDecoder:
    parts = {"attention": _core.AttentionScore(), "encoder_size": 4, "with_source": True}
    return decoder(**parts | changes)


def seq2seq(encoder: _core.RnnEncoder, cells: list[_core.Cell], **bridge: Any) -> _core.RnnSeq2Seq:
    return _core.RnnSeq2Seq(
        encoder=encoder,
        bridge=_core.Bridge(**bridge),
        decoder=decoder(cells=cells, with_source=True),
    )


def block_norm() -> _core.BlockNorm:
    return _core.BlockNorm(before=norm(4))


def norm(size: int) -> _core.Norm:
    return _core.LayerNorm(np.ones(size), None, eps=1e-5)


def head_norms(num_heads: int) -> _core.Norm:
    return _core.PerHeadLayerNorm(np.ones((num_heads, 2)), eps=1e-5)


def key_bias(num_heads: int, positions: int) -> _core.PositionBias:
    return _core.PositionBias(keys=np.ones((num_heads, positions)))


def attention(num_kv_heads: int = 2, **changes: Any) -> _core.MultiHeadAttention:
    return _attention({"query_key_value": linear(4 + 4 * num_kv_heads, 4)}, num_kv_heads, changes)


def source_attention(num_kv_heads: int = 2, **changes: Any) -> _core.MultiHeadAttention:
    parts = {"query": linear(4, 4), "key_value": linear(4 * num_kv_heads, 4)}
    return _attention(parts, num_kv_heads, changes)


def _attention(
    parts: dict[str, Any], num_kv_heads: int, changes: dict[str, Any]
) -> _core.MultiHeadAttention:
    heads = {"output": linear(4, 4), "num_heads": 2, "num_kv_heads": num_kv_heads}
    return _core.MultiHeadAttention(**parts | heads | changes)


def layer(**changes: Any) -> _core.TransformerLayer:
    parts = {
        "self_attention": attention(),
        "self_attention_norm": block_norm(),
        "feed_forward": _core.FeedForward(up=linear(6, 4), down=linear(4, 6), activation="relu"),
        "feed_forward_norm": block_norm(),
    }
    return _core.TransformerLayer(**parts | changes)


def ssru(size: int = 4) -> _core.Recurrence:
    return _core.SimpleRecurrence(forget=linear(size, size), input=linear(size, size))


def recurrent(recurrence: _core.Recurrence | None = None) -> _core.TransformerLayer:
    return layer(self_attention=None, recurrence=recurrence or ssru())


def cross_layer(cross_attention: _core.MultiHeadAttention) -> _core.TransformerLayer:
    return layer(cross_attention=cross_attention, cross_attention_norm=block_norm())


def expert() -> _core.FeedForward:
    return _core.FeedForward(up=linear(6, 4), down=linear(4, 6), activation="relu")


def encoder_of(**changes: Any) -> _core.TransformerEncoder:
    return _core.TransformerEncoder(stack(**changes))


def speech_encoder(stride: int = 1, **changes: Any) -> _core.SpeechEncoder:
    return _core.SpeechEncoder(
        convolutions=[_core.Convolution(linear(4, 6), stride=stride)],
        activation="gelu",
        stack=stack(**{"embedding": None} | changes),
    )


def language_model(*layers: _core.TransformerLayer) -> _core.TransformerDecoder:
    return transformer_decoder(stack(layers=list(layers)))


def transformer_decoder(stack: _core.TransformerStack, **options: Any) -> _core.TransformerDecoder:
    settings = _core.BuildSettings()
    return _core.TransformerDecoder(stack, linear(13, 4), settings=settings, **options)


def stack(**changes: Any) -> _core.TransformerStack:
    parts = {"embedding": embedding(), "max_positions": 5, "layers": [layer()]}
    return _core.TransformerStack(**parts | {"positions": np.ones((5, 4))} | changes)
