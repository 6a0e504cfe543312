"""How fast a model runs on this machine, and how fast its memory lets it run at most."""

from __future__ import annotations

import math
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attnengine import loaders
from attnengine.engines import AnyEngine, Encoder, LanguageModel, Seq2Seq, load
from attnengine.errors import InvalidArgument
from attnengine.profiling.bandwidth import Bandwidth, timed
from attnengine.profiling.sizes import BYTES, context_length

_INPUT_TOKENS = {LanguageModel: 512, Seq2Seq: 32, Encoder: 128}  # of a text, unless told
_ADDED = 2  # tokens that a model may put around a text

_LOOKED_UP = re.compile(r"embed(?!_out)|shared\.weight|wte|wpe|relative_attention_bias|logits_bias")
_ONCE_A_TEXT = re.compile(r"bridge\.")
_OF_SOURCE = re.compile(
    r"(model\.)?encoder\.|.*(EncDecAttention\.[kv]\.|encoder_attn\.[kv]_proj|attention\.key)"
)
Shapes = Mapping[str, tuple[int, ...]]  # of weights, by canonical name


@dataclass(frozen=True)
class Multiplied:
    """How many elements of weights a token is multiplied with; tables are looked up."""

    source: int  # a token of the source, or of an encoder's text
    step: int  # a token of the target, or of a language model's text, without the output layer
    head: int  # a position that predicts its next token


def multiplied(
    shapes: Shapes, vocab_size: int, *, encoder: bool, experts: float = 1.0
) -> Multiplied:
    """Count the weights by their names; ``experts`` is the share of them that takes part."""
    source = step = head = tied = 0
    for name, shape in shapes.items():
        size = math.prod(shape) if len(shape) > 1 else 0
        if _LOOKED_UP.search(name):
            tied = max(tied, size if shape[0] == vocab_size else 0)
        elif encoder or _OF_SOURCE.match(name):
            source += size
        elif shape[0] == vocab_size:
            head += size
        elif not _ONCE_A_TEXT.match(name):
            step += round(size * experts) if len(shape) == 3 else size
    return Multiplied(source, step, 0 if encoder else head or tied)


@dataclass(frozen=True)
class Settings:
    """What is run: texts of random tokens, each continued by a fixed number of tokens."""

    batch_size: int = 1
    beam_size: int = 1
    input_tokens: int | None = None
    new_tokens: int = 64
    repeats: int = 5
    precision: str = "float32"
    cache_precision: str | None = None
    num_threads: int | None = None
    num_workers: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "beam_size", "input_tokens", "new_tokens", "repeats"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidArgument(f"{name} is {value}, expected 1 or more")


@dataclass(frozen=True)
class Speed:
    """One measurement: medians, and half the range of the repeats over the median."""

    what: str
    tokens_per_second: float
    spread: float
    bound: float | None  # the most tokens a second that memory allows; None: it is not the limit

    @classmethod
    def of(cls, what: str, tokens: int, seconds: list[float], least: float | None) -> Speed:
        """Tokens in the seconds of each repeat; ``least`` is the seconds that memory needs."""
        middle = statistics.median(seconds)
        spread = (max(seconds) - min(seconds)) / 2 / middle
        return cls(what, tokens / middle, spread, None if least is None else tokens / least)


def measure(path: Path, settings: Settings) -> dict[str, Any]:
    """Load the model at ``path`` and run it; the result is fit for JSON.

    It has ``parameters``, ``load_seconds``, ``bandwidth`` in bytes a second, and ``peak_memory``,
    the bytes of the process before the measurements. ``speeds`` has the fields of `Speed`: two
    entries for a language model (reading a prompt, and new tokens after one token), else one.

    Raises InvalidArgument for settings that do not fit, and what ``attnengine.load`` raises.
    """
    started = time.perf_counter()
    engine = _load(path, settings)
    seconds = time.perf_counter() - started
    shapes = {name: t.shape for name, t in loaders.load(path).tensors.items()}
    texts = _random_texts(engine, settings)
    run = {LanguageModel: _language_model, Seq2Seq: _seq2seq, Encoder: _encoder}[type(engine)]
    memory = _Memory(engine, shapes, settings)
    speeds = run(engine, texts, memory, settings)
    return {
        "architecture": engine.config["architecture"],
        "parameters": sum(math.prod(shape) for shape in shapes.values()),
        **asdict(settings),
        "cache_precision": engine.cache_precision,
        "input_tokens": len(texts[0]),
        "num_threads": engine.num_threads,
        "load_seconds": seconds,
        "peak_memory": memory.peak,
        "bandwidth": memory.bandwidth.best,
        "speeds": [asdict(speed) for speed in speeds],
    }


def _load(path: Path, settings: Settings) -> AnyEngine:
    engine = load(
        path,
        precision=settings.precision,
        cache_precision=settings.cache_precision,
        num_threads=settings.num_threads,
        num_workers=settings.num_workers,
    )
    if type(engine) not in _INPUT_TOKENS:
        raise InvalidArgument(f"the model is {engine!r}, expected one that reads text to bench")
    positions = 0 if isinstance(engine, Encoder) else engine._model.max_positions
    if 0 < positions < settings.new_tokens:
        raise InvalidArgument(
            f"new_tokens is {settings.new_tokens}, expected at most {positions},"
            " the model's positions"
        )
    return engine


class _Memory:
    """What the weights weigh, and how long it takes to read them."""

    def __init__(self, engine: AnyEngine, shapes: Shapes, settings: Settings) -> None:
        self.peak = _peak_memory()
        self.bandwidth = Bandwidth(engine.num_threads)
        config, encoder = engine.config, isinstance(engine, Encoder)
        rows = settings.batch_size * settings.beam_size
        every = config.get("num_local_experts") or config.get("num_experts") or 1
        share = min(1.0, rows * (config.get("num_experts_per_tok") or every) / every)
        vocab_size = config.get("target_vocab_size") or config["vocab_size"]
        self.weights = multiplied(shapes, vocab_size, encoder=encoder, experts=share)
        self.bytes = self.head_bytes = BYTES[settings.precision]
        if settings.precision == "int4":  # logits have 8 bits
            self.head_bytes = BYTES["int8"]

    def seconds(self, steps: int) -> float:
        """To read the weights of an encoder once, if there is one, and of a decoder each step."""
        weights = self.weights
        read = (weights.source + steps * weights.step) * self.bytes
        return (read + steps * weights.head * self.head_bytes) / self.bandwidth.best


def _language_model(
    engine: Any, texts: list[list[int]], memory: _Memory, settings: Settings
) -> list[Speed]:
    def generate(prompts: list[list[int]], new_tokens: int) -> Callable[[], object]:
        return lambda: engine.generate(prompts, **_forced(settings, new_tokens))

    read, new = settings.batch_size * len(texts[0]), settings.new_tokens
    begins = [text[:1] for text in texts]
    prefill = _repeated(generate(texts, 1), memory, settings)
    decode = _repeated(generate(begins, new), memory, settings)
    return [
        Speed.of(f"prefill of {len(texts[0])} tokens", read, prefill, None),
        Speed.of(f"decode of {new} tokens", settings.batch_size * new, decode, memory.seconds(new)),
    ]


def _seq2seq(
    engine: Any, texts: list[list[int]], memory: _Memory, settings: Settings
) -> list[Speed]:
    new = settings.new_tokens
    options = _forced(settings, new)
    seconds = _repeated(lambda: engine.translate(texts, **options), memory, settings)
    what = f"translate of {len(texts[0])} tokens into {new}"
    return [Speed.of(what, settings.batch_size * new, seconds, memory.seconds(new))]


def _encoder(
    engine: Any, texts: list[list[int]], memory: _Memory, settings: Settings
) -> list[Speed]:
    options = {"max_batch_size": len(texts)}
    seconds = _repeated(lambda: engine.encode(texts, **options), memory, settings)
    read = len(texts) * len(texts[0])
    return [Speed.of(f"encode of {len(texts[0])} tokens", read, seconds, None)]


def _forced(settings: Settings, new_tokens: int) -> dict[str, int]:
    """Options by which every text gets exactly ``new_tokens``."""
    exact = {"min_new_tokens": new_tokens, "max_new_tokens": new_tokens}
    return {**exact, "beam_size": settings.beam_size, "max_batch_size": settings.batch_size}


def _random_texts(engine: AnyEngine, settings: Settings) -> list[list[int]]:
    """Ids of a batch, each text of the asked or usual length, cut to what the model takes."""
    config, length = engine.config, settings.input_tokens
    if length is None:
        longest = (context_length(config) or sys.maxsize) - _ADDED
        length = max(1, min(_INPUT_TOKENS[type(engine)], longest))
    vocab_size = config.get("source_vocab_size") or config["vocab_size"]
    rng = np.random.default_rng(0)
    texts: list[list[int]] = rng.integers(0, vocab_size, (settings.batch_size, length)).tolist()
    return texts


def _repeated(call: Callable[[], object], memory: _Memory, settings: Settings) -> list[float]:
    """Seconds of each repeat, after a warm-up; in between the memory is measured too."""
    call()
    seconds = []
    for _ in range(settings.repeats):
        seconds.append(timed(call))
        memory.bandwidth.measure()
    return seconds


def _peak_memory() -> int:
    """Bytes that the process had in memory at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
