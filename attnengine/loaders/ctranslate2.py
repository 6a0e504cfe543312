"""CTranslate2's model.bin: encoder-decoder Transformers in float32, version 2.

u32 version | string spec | u32 revision | u32 count
count x { string name | u8 rank | u32 size[rank] | u8 item size | u32 items | data }
string = u16 length with the closing zero byte | bytes; all little-endian
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor, vocabularies
from attnengine.loaders.files import MAX_RANK, VOCABULARY_LIMIT, MappedFile, damage_named
from attnengine.loaders.names import count_layers, matrix_shape, rename
from attnengine.loaders.names import ctranslate2 as names

UNDERSTANDS = "a CTranslate2 folder (model.bin and vocabularies)"
_NEWEST_VERSION = 6
_READ_VERSION = 2
_MAX_POSITIONS = 1024  # sinusoids have no end; CTranslate2 cuts sources off here
_NORM_EPS = 1e-5
_PRECISIONS = {1: "int8", 2: "int16 or float16"}  # by item size


def matches(path: Path) -> bool:
    """Whether `path` is a folder with a model.bin."""
    return (path / "model.bin").is_file()


def read(path: Path) -> Checkpoint:
    """Read a folder: model.bin with shared_vocabulary.txt, or one for each side."""
    model = Model.read(path / "model.bin")
    tensors = rename(model.tensors, names.TABLE, model.path)
    shared = path / "shared_vocabulary.txt"
    tokens = {}
    for side, prefix in (("source", "encoder"), ("target", "decoder")):
        own = path / f"{side}_vocabulary.txt"
        embedding = f"{prefix}.embed_tokens.weight"
        size = matrix_shape(model.path, tensors, embedding)[0]
        tokens[side] = _vocabulary(shared if shared.is_file() else own, size)
    config = {**_Settings(model, tensors).config(), **_special_ids(model, tokens)}
    schema.check(config, tokens, str(path))
    return Checkpoint(config, tensors, vocabularies(tokens), path)


@dataclass(frozen=True)
class Model:
    """What model.bin holds: weights, and settings, which are its scalars."""

    path: Path
    spec: str
    tensors: Mapping[str, Tensor]
    scalars: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> Model:
        """Walk a file; `Unsupported` for other versions and for quantised weights."""
        file = MappedFile(path)
        with damage_named(path):
            return _Walk(file).model()


class _Walk:
    def __init__(self, file: MappedFile) -> None:
        self.file = file
        self.position = 0

    def model(self) -> Model:
        version = self.number("I", "the version")
        if not 1 <= version <= _NEWEST_VERSION:
            raise FormatError(f"{self.file.path}: version {version}, which CTranslate2 never wrote")
        if version != _READ_VERSION:
            raise Unsupported(
                f"{self.file.path}: CTranslate2 version {version}, expected {_READ_VERSION}"
            )
        spec = self.string("the spec's name")
        if spec not in names.SPECS:
            expected = ", ".join(names.SPECS)
            raise Unsupported(f"{self.file.path}: spec {spec!r:.80}, expected one of {expected}")
        self.number("I", "the revision")
        tensors: dict[str, Tensor] = {}
        scalars: dict[str, float] = {}
        for _ in range(self.number("I", "the number of variables")):
            self.variable(tensors, scalars)
        if self.position != self.file.size:
            rest = self.file.size - self.position
            raise FormatError(f"{self.file.path}: {rest} bytes after the last variable")
        return Model(self.file.path, spec, tensors, scalars)

    def variable(self, tensors: dict[str, Tensor], scalars: dict[str, float]) -> None:
        name = self.string("a variable's name")
        rank = self.number("B", f"the rank of {name}")
        if name in tensors or name in scalars or rank > MAX_RANK:
            raise FormatError(
                f"{self.file.path}: variable {name!r:.200} of rank {rank} stands twice or has "
                f"more than {MAX_RANK} sizes"
            )
        shape = [self.number("I", f"the sizes of {name}") for _ in range(rank)]
        item_size = self.number("B", f"the type of {name}")
        items = self.number("I", f"the length of {name}")
        if items != math.prod(shape) or item_size not in (1, 2, 4):
            raise FormatError(
                f"{self.file.path}: {name} has shape {tuple(shape)} but {items} items of "
                f"{item_size} bytes"
            )
        data = self.file.view(self.position, items * item_size, name)
        if not rank:
            scalars[name] = struct.unpack({1: "<b", 2: "<h", 4: "<f"}[item_size], data)[0]
        elif item_size != 4:
            precision = _PRECISIONS[item_size]
            raise Unsupported(f"{self.file.path}: {name} is {precision}, expected float32")
        else:
            tensors[name] = self.file.array(name, "float32", shape, self.position)
        self.position += items * item_size

    def number(self, kind: str, what: str) -> int:
        size = struct.calcsize(f"<{kind}")
        (value,) = struct.unpack(f"<{kind}", self.file.view(self.position, size, what))
        self.position += size
        return int(value)

    def string(self, what: str) -> str:
        length = self.number("H", what)
        text = bytes(self.file.view(self.position, length, what))
        self.position += length
        if not text.endswith(b"\0") or b"\0" in text[:-1]:
            raise FormatError(f"{self.file.path}: {what} is {text!r:.80}, expected a closing zero")
        return text[:-1].decode("utf-8")


class _Settings:
    """The config that the scalars and the shapes say."""

    def __init__(self, model: Model, tensors: Mapping[str, Tensor]) -> None:
        self.path = model.path
        self.spec = model.spec
        self.scalars = dict(model.scalars)  # those left when all is read are not known
        self.tensors = tensors

    def config(self) -> dict[str, Any]:
        source = matrix_shape(self.path, self.tensors, "encoder.embed_tokens.weight")
        target = matrix_shape(self.path, self.tensors, "decoder.embed_tokens.weight")
        feed_forward = matrix_shape(self.path, self.tensors, "encoder.layers.0.fc1.weight")
        pre_norm = bool(self.setting("pre_norm", 1))
        layers = r"{}\.layers\.([0-9]+)\..*"
        config = {
            "architecture": "transformer",
            "source_vocab_size": source[0],
            "target_vocab_size": target[0],
            "hidden_size": source[1],
            "intermediate_size": feed_forward[0],
            "encoder_num_layers": count_layers(self.tensors, layers.format("encoder"), self.path),
            "decoder_num_layers": count_layers(self.tensors, layers.format("decoder"), self.path),
            "num_heads": int(self.setting("num_heads", names.SPECS[self.spec])),
            "norm_placement": "pre" if pre_norm else "post",
            "final_norm": "encoder.layer_norm.weight" in self.tensors,
            "norm_eps": _NORM_EPS,
            "activation": self.activation(),
            **self.positions(),
            "scale_embeddings": self.scale_embeddings(source[1]),
            "shared_embeddings": False,  # a shared weight stands in the file twice
            "tied_output": False,
        }
        self.refuse_others()
        return config

    def setting(self, name: str, default: float) -> float:
        """A scalar, which older files have once and newer ones for each side."""
        found = {
            self.scalars.pop(key)
            for key in (name, f"encoder/{name}", f"decoder/{name}")
            if key in self.scalars
        }
        if len(found) > 1:
            values = " and ".join(map(str, sorted(found)))
            raise Unsupported(f"{self.path}: {name} is {values}, expected the same on both sides")
        return found.pop() if found else default

    def activation(self) -> str:
        number = self.setting("activation", 0)
        if number not in names.ACTIVATIONS:
            raise Unsupported(f"{self.path}: activation {number}, expected {names.ACTIVATIONS}")
        return names.ACTIVATIONS[int(number)]

    def positions(self) -> dict[str, Any]:
        tables = [f"{side}.embed_positions.weight" for side in ("encoder", "decoder")]
        given = [self.tensors[table].shape for table in tables if table in self.tensors]
        if not given:  # computed, and the first token stands at position 1
            return {
                "positions": "sinusoidal",
                "position_layout": "halves",
                "position_offset": 1,
                "max_positions": _MAX_POSITIONS,
            }
        if len(set(given)) != 1 or len(given) != 2 or len(given[0]) != 2:
            raise Unsupported(f"{self.path}: position encodings are {given}, expected two alike")
        return {
            "positions": "learned",
            "position_layout": None,
            "position_offset": 0,
            "max_positions": given[0][0],
        }

    def scale_embeddings(self, hidden_size: int) -> bool:
        old = self.setting("embeddings/multiply_by_sqrt_depth", 1)
        value = self.setting("scale_embeddings", old)  # a flag, or the factor itself
        if value in (0, 1):
            return value == 1
        if not math.isclose(value, math.sqrt(hidden_size), rel_tol=1e-5):
            raise Unsupported(
                f"{self.path}: embeddings are scaled by {value}, expected 1 or the square root "
                f"of {hidden_size}"
            )
        return True

    def refuse_others(self) -> None:
        for name in (*names.IGNORED, *names.TOKEN_FLAGS):
            self.setting(name, 0)
        for name, supported in names.ONLY.items():
            value = self.setting(name, supported)
            if value != supported:
                raise Unsupported(f"{self.path}: {name} is {value}, expected {supported}")
        for name, value in self.scalars.items():
            raise Unsupported(f"{self.path}: the setting {name!r:.200} ({value}) is not known")


def _special_ids(model: Model, tokens: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    ids = {side: {token: i for i, token in enumerate(tokens[side])} for side in tokens}
    bos, eos = names.SPECIAL["bos"], names.SPECIAL["eos"]
    for token in (bos, eos):
        if token not in ids["target"]:
            raise FormatError(f"{model.path}: the target vocabulary has no {token}")
    start = bos if model.scalars.get("with_target_bos", 1) else eos
    special: dict[str, Any] = {
        "tokenizer": {"source": "words", "target": "words"},
        "decoder_start_token_id": ids["target"][start],
        "add_source_bos": bool(model.scalars.get("with_source_bos", 0)),
        "add_source_eos": bool(model.scalars.get("with_source_eos", 0)),
    }
    for side, prefix in (("source", "source_"), ("target", "")):
        for name, token in names.SPECIAL.items():
            special[f"{prefix}{name}_token_id"] = ids[side].get(token)
    return special


def _vocabulary(path: Path, size: int) -> list[str]:
    """One token a line; <unk> follows when no line is it."""
    file = MappedFile(path)
    if file.size > VOCABULARY_LIMIT:
        raise FormatError(f"{path} has {file.size} bytes, expected up to {VOCABULARY_LIMIT}")
    with damage_named(path):
        text = bytes(file.view(0, file.size, "the vocabulary")).decode("utf-8")
    if text.count("\n") > size:
        raise FormatError(f"{path} has {text.count(chr(10))} lines, expected up to {size}")
    tokens = text.split("\n")
    if tokens[-1] == "":
        tokens.pop()
    if names.SPECIAL["unk"] not in tokens:
        tokens.append(names.SPECIAL["unk"])
    if len(tokens) != size:
        raise FormatError(f"{path} has {len(tokens)} tokens with <unk>, expected {size}")
    if len(set(tokens)) < size:  # CTranslate2 takes the first id of them, attnengine the last
        raise Unsupported(f"{path}: a token stands twice")
    return tokens
