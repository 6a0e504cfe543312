"""attnengine itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines.base import RNNS, Engine, Ids, Setup
from benchmarks.peers.engines.operator_calls import Call, Make, OperatorEngine, normal
from benchmarks.peers.models import Model

PRECISIONS = ("float32", "bfloat16", "int8", "int4")
BATCHES = ("marian", "t5", "rnn_seq2seq")  # families whose sentences several workers can share
NOWHERE = Path("/no/model")


def accepted(**options: Any) -> bool:
    """Whether ``load`` of the installed attnengine has these options, before it reads a model."""
    import attnengine as ae

    try:
        ae.load(NOWHERE, **options)
    except ae.Unsupported:
        return False
    except ae.InvalidArgument:  # nothing is there
        return True
    raise AssertionError(f"{NOWHERE} was loaded")


class AttnEngine(Engine):
    """Mode workers2: two steps in flight, which share the threads; else one."""

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


class AttnOperators(OperatorEngine):
    """Kernels; weights are packed before."""

    @staticmethod
    def variants(model: Model) -> list[str]:
        return ["float32"] if model.family == "operators" else []

    def makers(self) -> dict[str, Make]:
        return {
            "linear": self.linear,
            "attention": self.attention,
            "top_k": self.top_k,
            "layer_norm": self.layer_norm,
            "lstm": self.lstm,
            "gru": self.gru,
        }

    @property
    def threads(self) -> dict[str, Any]:
        return {"num_threads": self.setup.threads}

    def packed(self, out: int, size: int) -> Any:
        from attnengine.kernels import PackedLinear

        product = PackedLinear(normal(out, size), normal(out))
        return lambda x: product(x, **self.threads)

    def linear(self, rows: int, out: int, size: int) -> Call:
        x, product = normal(rows, size), self.packed(out, size)
        return lambda: product(x)

    def attention(
        self, batch: int, heads: int, rows: int, positions: int, head_dim: int, causal: int
    ) -> Call:
        from attnengine.kernels import scaled_dot_attention

        query = normal(batch, rows, heads, head_dim)
        keys = normal(batch, positions, heads, head_dim)
        lengths = np.arange(1, rows + 1) if causal else None

        def call() -> None:
            for one, past in zip(query, keys, strict=True):
                scaled_dot_attention(one, past, past, lengths, need_weights=False, **self.threads)

        return call

    def top_k(self, rows: int, vocab_size: int, k: int) -> Call:
        from attnengine.kernels import log_softmax_top_k

        logits = normal(rows, vocab_size)
        return lambda: log_softmax_top_k(logits, k, **self.threads)

    def layer_norm(self, rows: int, size: int) -> Call:
        from attnengine.kernels import layer_norm

        x, weight, bias = normal(rows, size), normal(size), normal(size)
        return lambda: layer_norm(x, weight, bias, **self.threads)

    def lstm(self, batch: int, size: int, hidden: int) -> Call:
        from attnengine.kernels import lstm_gates

        x, h = normal(batch, size), normal(batch, hidden)
        inputs, recurrent = self.packed(4 * hidden, size), self.packed(4 * hidden, hidden)
        return lambda: lstm_gates(inputs(x), recurrent(h), h, **self.threads)

    def gru(self, batch: int, size: int, hidden: int) -> Call:
        from attnengine.kernels import gru_gates

        x, h = normal(batch, size), normal(batch, hidden)
        inputs, recurrent = self.packed(3 * hidden, size), self.packed(3 * hidden, hidden)
        return lambda: gru_gates(inputs(x), recurrent(h), h, **self.threads)
