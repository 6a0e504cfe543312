"""Writes small CTranslate2 folders of every version and precision, without its converters."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.loaders.arrays import Arrays, random_arrays

Shapes = dict[str, tuple[int, ...]]

TYPES = ("float32", "int8", "int16", "int32", "float16", "uint16")  # uint16 holds bfloat16
SOURCE = ["<blank>", "<s>", "</s>", "a"]  # CTranslate2 appends <unk>
TARGET = ["<blank>", "<s>", "</s>", "x", "<unk>", "y"]


def encoder_decoder(layers: int = 2, hidden: int = 8, feed_forward: int = 6) -> Arrays:
    """An encoder-decoder with 5 source and 6 target tokens."""
    shapes: Shapes = {"encoder/embeddings/weight": (5, hidden)}
    shapes |= side_shapes("encoder", layers, hidden, feed_forward, {"self_attention": (3, 1)})
    return random_arrays(shapes) | decoder(layers, hidden, feed_forward, (1, 2, 1))


def decoder(
    layers: int = 2, hidden: int = 8, feed_forward: int = 6, attention: tuple[int, ...] = ()
) -> Arrays:
    """A decoder of 6 tokens; `attention` lists the projections of cross-attention."""
    shapes: Shapes = {
        "decoder/embeddings/weight": (6, hidden),
        "decoder/projection/weight": (6, hidden),
        "decoder/projection/bias": (6,),
    }
    blocks: dict[str, tuple[int, ...]] = {"self_attention": (3, 1)}
    if attention:
        blocks["attention"] = attention
    return random_arrays(shapes | side_shapes("decoder", layers, hidden, feed_forward, blocks), 1)


def side_shapes(
    side: str, layers: int, hidden: int, feed_forward: int, blocks: dict[str, tuple[int, ...]]
) -> Shapes:
    """Shapes of the layers and the last norm; `blocks` are projection widths in hidden sizes."""
    shapes = norm_shapes(side, hidden)
    for i in range(layers):
        place = f"{side}/layer_{i}"
        for block, widths in blocks.items():
            shapes |= norm_shapes(f"{place}/{block}", hidden)
            for number, width in enumerate(widths):
                shapes |= linear_shapes(f"{place}/{block}/linear_{number}", width * hidden, hidden)
        shapes |= norm_shapes(f"{place}/ffn", hidden)
        shapes |= linear_shapes(f"{place}/ffn/linear_0", feed_forward, hidden)
        shapes |= linear_shapes(f"{place}/ffn/linear_1", hidden, feed_forward)
    return shapes


def norm_shapes(place: str, hidden: int) -> Shapes:
    return {f"{place}/layer_norm/{name}": (hidden,) for name in ("gamma", "beta")}


def linear_shapes(place: str, out: int, size: int) -> Shapes:
    return {f"{place}/weight": (out, size), f"{place}/bias": (out,)}


def llama(heads: int = 4, kv_heads: int = 2, hidden: int = 8, wide: int = 6) -> Arrays:
    """A gated decoder of one layer and 6 tokens."""
    layer, keys = "decoder/layer_0", hidden // heads * kv_heads
    shapes: Shapes = {
        "decoder/embeddings/weight": (6, hidden),
        "decoder/projection/weight": (6, hidden),
        "decoder/layer_norm/gamma": (hidden,),
        f"{layer}/self_attention/layer_norm/gamma": (hidden,),
        f"{layer}/self_attention/linear_0/weight": (hidden + 2 * keys, hidden),
        f"{layer}/self_attention/linear_1/weight": (hidden, hidden),
        f"{layer}/ffn/layer_norm/gamma": (hidden,),
        f"{layer}/ffn/linear_0/weight": (wide, hidden),
        f"{layer}/ffn/linear_0_noact/weight": (wide, hidden),
        f"{layer}/ffn/linear_1/weight": (hidden, wide),
    }
    attention = {"rotary_dim": np.int32(0), "num_heads_kv": np.int32(kv_heads)}
    attention["rotary_interleave"] = np.int8(0)
    return random_arrays(shapes) | {
        "decoder/num_heads": np.array(np.int16(heads)),
        "decoder/activation": np.array(np.int8(2)),
        "decoder/scale_embeddings": np.array(np.int8(0)),
        **{f"{layer}/self_attention/{name}": np.array(value) for name, value in attention.items()},
    }


def encoder(layers: int = 1, hidden: int = 8, feed_forward: int = 6) -> Arrays:
    """An encoder like BERT with 6 tokens."""
    shapes: Shapes = {
        "encoder/embeddings_0/weight": (6, hidden),
        "encoder/embeddings_1/weight": (2, hidden),
        "encoder/position_encodings/encodings": (10, hidden),
        "pooler_dense/weight": (hidden, hidden),
    }
    shapes |= side_shapes("encoder", layers, hidden, feed_forward, {"self_attention": (3, 1)})
    arrays = random_arrays(shapes) | {
        f"encoder/layernorm_embedding/{name}": np.ones(hidden, np.float32)
        for name in ("gamma", "beta")
    }
    for name in ("gamma", "beta"):  # post-norm models have no norm after the layers
        del arrays[f"encoder/layer_norm/{name}"]
    settings = {"pre_norm": 0, "scale_embeddings": 0, "num_heads": 2, "activation": 3}
    return arrays | {f"encoder/{name}": np.array(np.int8(v)) for name, v in settings.items()}


SPEECH = [
    *("a", "b", "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>"),
    *("<|translate|>", "<|transcribe|>", "<|notimestamps|>"),
]


def whisper(hidden: int = 8, feed_forward: int = 6, mels: int = 4) -> Arrays:
    """A speech model with one encoder layer and one decoder layer."""
    shapes: Shapes = {
        "encoder/conv1/weight": (hidden, mels, 3),
        "encoder/conv1/bias": (hidden,),
        "encoder/conv2/weight": (hidden, hidden, 3),
        "encoder/conv2/bias": (hidden,),
        "encoder/position_encodings/encodings": (10, hidden),
        "decoder/position_encodings/encodings": (12, hidden),
        "decoder/embeddings/weight": (len(SPEECH), hidden),
        "decoder/projection/weight": (len(SPEECH), hidden),
    }
    blocks: dict[str, tuple[int, ...]] = {"self_attention": (3, 1)}
    shapes |= side_shapes("encoder", 1, hidden, feed_forward, blocks)
    shapes |= side_shapes("decoder", 1, hidden, feed_forward, blocks | {"attention": (1, 2, 1)})
    settings = {"decoder/scale_embeddings": 0, "decoder/activation": 3, "encoder/num_heads": 2}
    return random_arrays(shapes) | {name: np.array(np.int8(v)) for name, v in settings.items()}


def in_precision(variables: Arrays, precision: str) -> Arrays:
    """The variables as CTranslate2 stores them in a precision."""
    stored: Arrays = {}
    for name, array in variables.items():
        if array.dtype != np.float32 or not array.ndim:
            stored[name] = array
        elif precision == "float16":
            stored[name] = array.astype(np.float16)
        elif precision == "bfloat16":
            stored[name] = (array.view(np.uint32) >> 16).astype(np.uint16)
        elif precision.startswith("int") and name.endswith("weight"):
            per_row = precision == "int8"
            axes = tuple(range(1, array.ndim)) if per_row else None
            scale = np.float32(127 if per_row else 1024) / np.abs(array).max(axes)
            column = scale.reshape(-1, *(1,) * (array.ndim - 1)) if per_row else scale
            stored[name] = np.rint(array * column).astype(precision)
            stored[f"{name}_scale"] = scale
        else:
            stored[name] = array
    return stored


def text(value: str) -> bytes:
    encoded = value.encode() + b"\0"
    return struct.pack("<H", len(encoded)) + encoded


def model_bytes(
    variables: Mapping[str, NDArray[Any]],
    version: int = 2,
    spec: str = "TransformerBase",
    revision: int = 2,
    aliases: Mapping[str, str] | None = None,
) -> bytes:
    parts = [struct.pack("<I", version)]
    if version >= 2:
        parts += [text(spec), struct.pack("<I", revision)]
    parts.append(struct.pack("<I", len(variables)))
    for name, array in sorted(variables.items()):
        parts += [text(name), struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)]
        if version >= 4:
            parts.append(struct.pack("<BI", TYPES.index(str(array.dtype)), array.nbytes))
        else:
            parts.append(struct.pack("<BI", array.itemsize, array.size))
        parts.append(array.tobytes())
    if version >= 3:
        parts.append(struct.pack("<I", len(aliases or {})))
        parts += [text(alias) + text(name) for alias, name in (aliases or {}).items()]
    return b"".join(parts)


def write_ctranslate2(
    folder: Path,
    version: int = 2,
    precision: str = "float32",
    spec: str = "TransformerBase",
    **scalars: np.generic,
) -> Path:
    """An encoder-decoder; vocabularies are text before version 6 and JSON from version 6 on."""
    folder.mkdir(exist_ok=True)
    variables = encoder_decoder() | {k: np.array(v) for k, v in scalars.items()}
    if version == 1:
        variables = {old_name(name): array for name, array in variables.items()}
    stored = in_precision(variables, precision)
    (folder / "model.bin").write_bytes(model_bytes(stored, version, spec))
    write_vocabulary(folder, "source_vocabulary", SOURCE, version)
    write_vocabulary(folder, "target_vocabulary", TARGET, version)
    if version >= 6:
        config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def write_one_vocabulary(
    folder: Path, variables: Arrays, spec: str, precision: str = "float32"
) -> Path:
    """A language model, an encoder or a speech model of version 6."""
    folder.mkdir(exist_ok=True)
    data = model_bytes(in_precision(variables, precision), 6, spec, 1)
    (folder / "model.bin").write_bytes(data)
    speech = spec == "WhisperSpec"
    write_vocabulary(folder, "vocabulary", SPEECH if speech else TARGET, 6)
    config: dict[str, Any] = {"unk_token": "<unk>"}
    if speech:
        config = {"suppress_ids": [0, 1], "suppress_ids_begin": [2], "lang_ids": [4, 5]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def write_decoder(folder: Path, variables: Arrays, precision: str = "float32") -> Path:
    """A language model of version 6."""
    return write_one_vocabulary(folder, variables, "TransformerDecoderSpec", precision)


def write_vocabulary(folder: Path, name: str, tokens: list[str], version: int) -> None:
    if version >= 6:
        (folder / f"{name}.json").write_text(json.dumps(tokens), encoding="utf-8")
    else:
        (folder / f"{name}.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")


def old_name(name: str) -> str:
    """OpenNMT-tf's name of a variable."""
    side, _, rest = name.partition("/")
    for new, old in (
        ("layer_norm", "LayerNorm"),
        ("self_attention", "multi_head" if side == "encoder" else "masked_multi_head"),
        ("attention", "multi_head"),
        ("linear_0", "conv1d"),
        ("linear_", "conv1d_"),
        ("projection", "dense"),
        ("embeddings/weight", "w_embs"),
        ("weight", "kernel"),
    ):
        rest = rest.replace(new, old, 1)
    return f"transformer/{side}/{rest}:0"
