"""attnengine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.engines.base import RNNS, Engine, Ids, Setup
from benchmarks.peers.models import Model

PRECISIONS = ("float32", "bfloat16", "int8", "int4")
BATCHES = ("marian", "t5", "rnn_seq2seq")  # families with batches that workers can share
NOWHERE = Path("/no/model")


def accepted(**options: Any) -> bool:
    """Whether the installed attnengine's ``load`` accepts these options."""
    import attnengine as ae

    try:
        ae.load(NOWHERE, **options)
    except ae.Unsupported:
        return False
    except ae.InvalidArgument:  # the path does not exist
        return True
    raise AssertionError(f"{NOWHERE} was loaded")


class AttnEngine(Engine):
    """Mode workers2 runs two workers that share the threads; by default there is one."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        import attnengine as ae

        self.model: Any = ae.load(
            setup.folder,
            precision=setup.precision,
            num_threads=setup.threads,
            num_workers=2 if setup.mode == "workers2" else 1,
        )

    @staticmethod
    def variants(model: Model) -> list[str]:
        if model.family not in (*RNNS, "marian", "t5", "gpt2", "qwen2", "bert"):
            return []
        precisions = [name for name in PRECISIONS if accepted(precision=name)]
        if model.family not in BATCHES or not accepted(num_workers=2):
            return precisions
        return precisions + [f"{name}-workers2" for name in precisions]

    def translate(
        self, sources: Sequence[Ids], batch_size: int, beam_size: int, new_tokens: int
    ) -> int:
        results = self.model.translate(
            sources,
            beam_size=beam_size,
            max_batch_size=batch_size,
            min_new_tokens=new_tokens,
            max_new_tokens=new_tokens,
        )
        return sum(len(result.hypotheses[0].ids) for result in results)

    def prefill(self, prompt: Ids) -> int:
        self.generate(prompt, 1, 1)
        return len(prompt)

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        result = self.model.generate(
            prompt, beam_size=beam_size, min_new_tokens=new_tokens, max_new_tokens=new_tokens
        )
        return len(result.hypotheses[0].ids)

    def score(self, sequences: Sequence[Ids]) -> int:
        scores = self.model.score(sequences, max_batch_size=len(sequences))
        return sum(len(score.token_log_probs) for score in scores)

    def encode(self, batch: Sequence[Ids]) -> int:
        return len(self.model.encode(batch, pooling="mean", max_batch_size=len(batch)))
