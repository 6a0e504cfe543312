"""What a model is, read from its files without building it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attnengine import loaders
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.models.precisions import CACHE_BYTES

_POSITIONS = ("max_positions", "max_position_embeddings", "n_positions", "max_seq_len")
# Of a weight, with its scales: docs/precision.md.
BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 68 / 64, "int4": 18 / 32}
# Matrices that no precision makes smaller: of positions, routers, RNNs' attention, convolutions.
_FLOAT32 = re.compile(
    r"wpe|position|token_type|relative_attention_bias|conv[12]\.|decoder\.attention\."
    r"|(mlp|block_sparse_moe)\.gate\.weight"
)
_ENCODERS = (
    *("bert", "camembert", "distilbert", "electra", "modernbert", "roberta"),
    "xlm-roberta",
)
_LAYERS = (
    *("decoder_num_layers", "num_decoder_layers", "decoder_layers", "num_hidden_layers"),
    *("num_layers", "n_layer", "n_layers"),
)
_HEADS = ("decoder_attention_heads", "num_attention_heads", "num_heads", "n_head", "n_heads")
_SIZES = ("hidden_size", "d_model", "n_embd")
_VECTOR = 16  # numbers of a value head are a multiple of it
_LONG = ("chat_template", "chat_tokens", "languages")  # keys of the config that say too much


def context_length(config: Mapping[str, Any]) -> int | None:
    """Tokens that a text may have; None: no limit, or one that the config does not say."""
    return _first(config, _POSITIONS)


def _first(config: Mapping[str, Any], keys: Sequence[str]) -> int | None:
    return next((config[key] for key in keys if config.get(key)), None)


def weight_bytes(checkpoint: Checkpoint, precision: str) -> int:
    """Bytes that the weights take when they are loaded, as docs/precision.md says."""
    config, bytes_ = checkpoint.config, 0.0
    vocabularies = [config.get(f"{side}vocab_size") for side in ("", "source_", "target_")]
    for name, tensor in checkpoint.tensors.items():
        is_table = precision == "int4" and tensor.shape[:1] in [(size,) for size in vocabularies]
        exact = len(tensor.shape) < 2 or _FLOAT32.search(name)
        kept = "float32" if exact else "int8" if is_table else precision
        bytes_ += BYTES[kept] * math.prod(tensor.shape)
    return round(bytes_)


def cache_bytes(config: Mapping[str, Any]) -> dict[str, int] | None:
    """Bytes of keys and values for a token of a text, in each precision of a cache.

    None: RNNs and encoders keep none.

    Those of a source, of which an encoder-decoder keeps some as well, are not among them.
    """
    layers, heads, size = (_first(config, keys) for keys in (_LAYERS, _HEADS, _SIZES))
    keeps = config.get("decoder_self_attention", "attention") == "attention"
    if config["architecture"] in _ENCODERS or not (keeps and layers and heads and size):
        return None
    one = config.get("multi_query") and not config.get("new_decoder_architecture")
    keys = _first(config, ("num_key_value_heads", "num_kv_heads")) or heads
    dim = _first(config, ("head_dim", "d_kv")) or size // heads
    values = -(-dim // _VECTOR) * _VECTOR
    heads = layers * (1 if one else keys)
    return {
        precision: heads * (size * (dim + values) + scales)
        for precision, (size, scales) in CACHE_BYTES.items()
    }


def describe(path: Path) -> dict[str, Any]:
    """Facts about the model at ``path``, fit for JSON.

    The keys of its config, and: ``parameters``; ``stored_as``, how many of them in each type;
    ``bytes`` of its files; ``memory``, bytes that its weights take when loaded in each precision,
    and ``cache_per_token``, bytes of keys and values in each precision of a cache (null: none are
    kept); ``context_length`` in tokens (null: no limit, or one that the config does not say);
    ``vocabularies`` by size; ``languages`` by name; whether it has a ``chat_template``.

    Raises what ``attnengine.loaders.load`` raises.
    """
    checkpoint = loaders.load(path)
    config = checkpoint.config
    stored: Counter[str] = Counter()
    for tensor in checkpoint.tensors.values():
        stored[tensor.dtype] += math.prod(tensor.shape)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {
        **{key: value for key, value in config.items() if key not in _LONG},
        "parameters": stored.total(),
        "stored_as": dict(stored.most_common()),
        "bytes": sum(file.stat().st_size for file in files),
        "memory": {precision: weight_bytes(checkpoint, precision) for precision in BYTES},
        "cache_per_token": cache_bytes(config),
        "context_length": context_length(config),
        "vocabularies": {k: len(v.tokens) for k, v in checkpoint.vocabularies.items()},
        "tokenizer_files": sorted(checkpoint.tokenizer_files),
        "languages": sorted(config.get("languages", ())),
        "chat_template": "chat_template" in config,
    }
