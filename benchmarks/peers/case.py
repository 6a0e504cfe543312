"""What is measured: one operation of an engine on one model, and what it costs at least."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.models import Model

NO_PRODUCT = re.compile(r"embed|shared\.weight|wte|wpe|relative_attention_bias|final_logits_bias")
ONCE_A_SENTENCE = re.compile(r"bridge\.")
OF_SOURCE = re.compile(
    r"(model\.)?encoder\.|.*(EncDecAttention\.[kv]\.|encoder_attn\.[kv]_proj|attention\.key)"
)


@dataclass(frozen=True)
class Case:
    """One measurement: ``op`` of the engine, called with ``params``, gives ``units``."""

    id: str
    op: str
    params: dict[str, Any] = field(repr=False)
    units: int
    unit: str  # "tok/s", "sent/s" or "us/call"
    operations: float  # of the matrix products, a multiplication and an addition each
    weights_read: float = 0.0  # parameters that have to come from memory
    float_bytes: float = 0.0  # what is read besides and is float32 whatever the precision


@dataclass(frozen=True)
class Group:
    """The cases of one model."""

    model: Model
    cases: list[Case]


@dataclass(frozen=True)
class Workload:
    """A table of results."""

    name: str
    title: str
    groups: list[Group]


@dataclass(frozen=True)
class Parameters:
    """How many elements of weight matrices each token is multiplied with."""

    source: int  # a token of the source, or of an encoder's text
    step: int  # a token of the target, or of a language model's text, without the output layer
    head: int  # a position whose next token is predicted


def parameters(model: Model) -> Parameters:
    """Count by the names of the weights: tables are looked up, not multiplied."""
    source = step = head = 0
    for name, shape in model.shapes().items():
        if len(shape) != 2 or NO_PRODUCT.search(name) or ONCE_A_SENTENCE.match(name):
            continue
        if shape[0] == model.vocab_size:
            head += math.prod(shape)
        elif model.family == "bert" or OF_SOURCE.match(name):
            source += math.prod(shape)
        else:
            step += math.prod(shape)
    if model.family == "bert" or head:
        return Parameters(source, step, head)
    return Parameters(source, step, model.vocab_size * _width(model))


def _width(model: Model) -> int:
    """The length of the rows of an output layer that has the embedding's weight."""
    keys = ("d_model", "n_embd", "hidden_size")
    return int(next(model.config[key] for key in keys if key in model.config))
