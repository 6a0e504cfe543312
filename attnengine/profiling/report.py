"""Measurements as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(facts: Mapping[str, Any]) -> list[str]:
    """What was measured, in lines."""
    lines = [
        "model: {architecture}, {parameters} parameters".format(**facts),
        f"run: {_precisions(facts)}, {_parallel(facts)}, batch {facts['batch_size']},"
        f" beam {facts['beam_size']}",
        f"load: {facts['load_seconds']:.3f} s, then {facts['peak_memory'] / 1e6:.0f} MB at most",
        f"memory: {facts['bandwidth'] / 1e9:.1f} GB/s",
    ]
    for speed in facts["speeds"]:
        rate, bound = speed["tokens_per_second"], speed["bound"]
        line = f"{speed['what']}: {rate:.1f} tokens/s ± {100 * speed['spread']:.0f} %"
        if bound is not None:
            line += f", {100 * rate / bound:.0f} % of the {bound:.1f} that memory allows"
        lines.append(line)
    return lines


def _precisions(facts: Mapping[str, Any]) -> str:
    precision, cache = facts["precision"], facts["cache_precision"]
    plain_one = cache is None or cache == precision == "float32"
    return str(precision) if plain_one else f"{precision}, cache {cache}"


def _parallel(facts: Mapping[str, Any]) -> str:
    threads, workers = facts["num_threads"], facts["num_workers"]
    return f"threads {threads}" if workers is None else f"threads {threads}, workers {workers}"
