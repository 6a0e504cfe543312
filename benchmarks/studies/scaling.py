"""Time of a step as beams, contexts, batches and vocabularies grow, in small random models.

    python -m benchmarks.studies.scaling FOLDER [--only beams,contexts] [--threads 2]

It writes FOLDER/scaling.json and, if matplotlib is installed, a plot of each curve. Both axes are
logarithmic: a cost that grows with the work is a straight line, and a cliff is a step. Sizes take
turns, so that other load on the machine affects all of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import attnengine as ae
from attnengine.reference.random_weights import random_weights
from benchmarks.studies.pictures import logarithmic, save

BEAMS = (*range(1, 17), 24, 32, 48, 64)
BATCHES = (*range(1, 17), 24, 31, 32, 33, 48, 64, 96, 128)  # round and odd sizes
CONTEXTS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
VOCABULARIES = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 152_000)
NEW_TOKENS = 16
CONFIG: dict[str, Any] = {
    **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")),
    "architecture": "transformer_lm",
    "tokenizer": "none",
    "vocab_size": 8000,
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_layers": 4,
    "num_heads": 4,
    "norm_placement": "pre",
    "final_norm": True,
    "norm_eps": 1e-5,
    "activation": "gelu",
    "positions": "learned",
    "position_layout": None,
    "position_offset": 0,
    "max_positions": 4096 + NEW_TOKENS,
    "scale_embeddings": False,
    "tied_output": False,
}


@dataclass(frozen=True)
class Point:
    """The median time of a step at one size; spread is half the interquartile range over it."""

    size: int
    seconds: float
    spread: float


@dataclass(frozen=True)
class Curve:
    """A growing quantity: its sizes, and the run and the model for each size."""

    sizes: Sequence[int]
    label: str
    run: Callable[[int], dict[str, int]]  # size -> keywords of `steps`
    model: Callable[[int], dict[str, Any]] = lambda _: {}  # size -> config changes
    measured: str = "step"  # or "prompt"


CURVES = {
    "beams": Curve(BEAMS, "beam size", lambda beam: {"beam_size": beam}),
    "batches": Curve(BATCHES, "texts in a batch", lambda batch: {"batch_size": batch}),
    "contexts": Curve(CONTEXTS, "tokens of context", lambda length: {"length": length}),
    "prompts": Curve(
        CONTEXTS, "tokens of a prompt", lambda length: {"length": length}, measured="prompt"
    ),
    "vocabularies": Curve(
        VOCABULARIES,
        "tokens in the vocabulary",
        lambda _: {"beam_size": 4},
        model=lambda size: {"vocab_size": size},
    ),
}


def steps(
    model: Any, length: int = 4, batch_size: int = 1, beam_size: int = 1
) -> dict[str, list[float]]:
    """Seconds of the prompt with its first token, and of each later step."""
    prompt = [5 + i % 900 for i in range(length)]
    times = [time.perf_counter()]
    model.generate(
        [prompt] * batch_size,
        beam_size=beam_size,
        min_new_tokens=NEW_TOKENS,
        max_new_tokens=NEW_TOKENS,
        max_batch_size=batch_size,
        rules=[lambda logits, search: times.append(time.perf_counter())],
    )
    seconds = [after - before for before, after in itertools.pairwise(times)]
    return {"prompt": seconds[:1], "step": seconds[1:]}


def loaded(curve: Curve, threads: int) -> dict[int, Any]:
    """size -> model; all sizes share one model if they do not change its config."""
    models: dict[int, Any] = {}
    config, model = None, None
    for size in curve.sizes:
        wanted = CONFIG | curve.model(size)
        if wanted != config:
            config = wanted
            with tempfile.TemporaryDirectory() as folder:
                ae.save(folder, config, random_weights(config, seed=0), {})
                model = ae.load(folder, num_threads=threads, num_workers=1)
        models[size] = model
    return models


def measure(curve: Curve, repeats: int, threads: int) -> list[Point]:
    """Time every size, in turns after a warm-up."""
    times: dict[int, list[float]] = {size: [] for size in curve.sizes}
    models = loaded(curve, threads)
    for turn in range(1 + repeats):
        for size, model in models.items():
            seconds = steps(model, **curve.run(size))[curve.measured]
            times[size] += seconds if turn else []
    return [point(size, seconds) for size, seconds in times.items()]


def point(size: int, seconds: list[float]) -> Point:
    """The median of the times; the spread is taken between the first and third quartile."""
    low, middle, high = np.percentile(seconds, [25, 50, 75])
    return Point(size, middle, (high - low) / 2 / middle)


def plot(path: Path, label: str, points: list[Point]) -> None:
    """Plot milliseconds of a step over the size, with a line proportional to the largest size."""
    sizes, times = [p.size for p in points], [1e3 * p.seconds for p in points]
    figure, axes = logarithmic(label, "milliseconds")
    axes.errorbar(sizes, times, [1e3 * p.seconds * p.spread for p in points], marker=".")
    proportional = [times[-1] * size / sizes[-1] for size in sizes]
    axes.plot(sizes, proportional, "--", color="gray", label="in proportion to the largest")
    axes.set_ylim(bottom=min(times) / 2)
    axes.legend()
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--only", default=",".join(CURVES), help="curves to measure, separated by commas"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "scaling.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in options.only.split(","):
        points = measure(CURVES[name], options.repeats, options.threads)
        found[name] = [asdict(point) for point in points]
        path.write_text(json.dumps(found), encoding="utf-8")
        for point in points:
            print(f"{name} {point.size}: {1e3 * point.seconds:.3f} ms ±{100 * point.spread:.0f} %")
        try:
            plot(options.folder / f"{name}.svg", CURVES[name].label, points)
        except ImportError:
            print("no plot: matplotlib is not installed")


if __name__ == "__main__":
    main()
