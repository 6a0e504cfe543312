"""The command ``bench``: how fast a model runs on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attnengine.cli.options import JSON, LOADING, PATH, SEARCH, SPEED, TEXT, Declared, takes
from attnengine.cli.text_files import write_lines, writing

_SETTINGS = (
    Declared("batch_size", int, TEXT, "Texts in a batch.", default=1),
    Declared("beam_size", int, SEARCH, "Live hypotheses per text; 1 is greedy search.", default=1),
    Declared(
        "input_tokens",
        int,
        TEXT,
        "Tokens per input text.",
        shown="prompt 512, source 32, encoder 128",
    ),
    Declared("new_tokens", int, TEXT, "New tokens to generate per text.", default=64),
    Declared("repeats", int, SPEED, "Timed runs per measurement, after a warm-up.", default=5),
)


@takes(PATH, JSON, *_SETTINGS, *LOADING)
def bench(path: Path, as_json: bool, **given: Any) -> None:
    """Measure load time, memory and tokens per second, beside what the memory's speed allows."""
    from attnengine.profiling.report import plain
    from attnengine.profiling.speed import Settings, measure

    with writing(None) as stream:
        facts = measure(path, Settings(**given))
        write_lines(stream, [json.dumps(facts)] if as_json else plain(facts))
