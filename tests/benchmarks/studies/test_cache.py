from __future__ import annotations

from benchmarks.studies.cache import PROMPT, step_after
from tests.models.checks import model
from tests.models.configs import TRANSFORMER_LM


def test_a_step_leaves_the_context_as_it_was() -> None:
    decoder = model(TRANSFORMER_LM | {"vocab_size": 1000, "max_positions": PROMPT + 9})
    fill, step = step_after(decoder)
    for length in (3, PROMPT + 8):  # the longest that leaves room for one step
        fill(length)
        assert step() > 0
        assert step() > 0
