"""The sizes of encoder-decoders, from the shapes of their weights in canonical names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.shared.renaming import count_layers, matrix_shape

_LAYER = r"{}\.rnn\.weight_hh_l([0-9]+)"


def rnn_sizes(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the keys of the architecture "rnn_seq2seq" that are sizes of encoder and decoder.

    `FormatError` when a weight that says a size is missing or no matrix.
    """
    source = matrix_shape(path, tensors, "encoder.embedding.weight")
    target = matrix_shape(path, tensors, "decoder.embedding.weight")
    return {
        "source_vocab_size": source[0],
        "target_vocab_size": target[0],
        "source_embedding_size": source[1],
        "target_embedding_size": target[1],
        "encoder_hidden_size": matrix_shape(path, tensors, "encoder.rnn.weight_hh_l0")[1],
        "encoder_num_layers": count_layers(tensors, _LAYER.format("encoder"), path),
        "bidirectional": "encoder.rnn.weight_hh_l0_reverse" in tensors,
        "decoder_hidden_size": matrix_shape(path, tensors, "decoder.rnn.weight_hh_l0")[1],
        "decoder_num_layers": count_layers(tensors, _LAYER.format("decoder"), path),
    }


def transformer_sizes(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the keys of the architecture "transformer" that are sizes; errors as above."""
    source = matrix_shape(path, tensors, "encoder.embed_tokens.weight")
    target = matrix_shape(path, tensors, "decoder.embed_tokens.weight")
    layer = r"{}\.layers\.([0-9]+)\.fc1\.weight"
    return {
        "source_vocab_size": source[0],
        "target_vocab_size": target[0],
        "hidden_size": source[1],
        "intermediate_size": matrix_shape(path, tensors, "encoder.layers.0.fc1.weight")[0],
        "encoder_num_layers": count_layers(tensors, layer.format("encoder"), path),
        "decoder_num_layers": count_layers(tensors, layer.format("decoder"), path),
    }
