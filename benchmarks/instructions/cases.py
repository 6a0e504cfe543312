"""The counted cases: small calls of kernels and steps of small models, on one thread.

    python -m benchmarks.instructions.cases FOLDER WORD

makes each call between two calls of ``mark`` and prints its name. ``counting`` runs this command
under callgrind.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import loaders, models
from attnengine.models.settings import build_settings
from attnengine.packing import LAYOUTS
from benchmarks.kernels import (
    bench_activations,
    bench_attention,
    bench_linear,
    bench_norm,
    bench_rnn_gates,
    bench_rotary,
    bench_scaled_dot_attention,
    bench_softmax,
)
from benchmarks.kernels.bench_beam_search import Compiled
from benchmarks.kernels.case import Case
from benchmarks.peers import shapes
from benchmarks.peers.models import Model, folder

Call = Callable[[], object]
BEAM, PROMPT = 4, 20
PRECISIONS = ("float32", "int8")  # of models; matrix products are counted in every precision

KERNELS = [
    *(bench_linear.case(rows, 512, 2048, name) for name in LAYOUTS for rows in (1, 4, 64)),
    bench_scaled_dot_attention.case(64, 64, 8, 8, 64),
    bench_scaled_dot_attention.case(1, 1024, 8, 8, 64),
    *(bench_scaled_dot_attention.case(1, 1024, 8, 8, 64, name) for name in ("float16", "int8")),
    bench_scaled_dot_attention.case(4, 200, 8, 8, 64),
    bench_scaled_dot_attention.case(1, 200, 14, 2, 64),
    bench_attention.case("additive", 8, 100, 512),
    bench_attention.case("dot", 8, 400, 512),
    *(bench_rnn_gates.case(f"{cell} gates", 64, 512) for cell in ("elman", "gru", "lstm")),
    bench_softmax.top_k_case(4, 32000, 4),
    bench_softmax.top_k_case(8, 32000, 8),
    bench_norm.case(256, 1024),
    bench_norm.rms_case(256, 896),
    bench_rotary.case(64, 32, 128),
    bench_activations.case("gelu", 64, 2048),
]
LANGUAGE_MODELS = (shapes.LSTM_LM, shapes.GPT2, shapes.QWEN2)
SEQ2SEQS = (shapes.RNNSEARCH, shapes.OPENNMT, shapes.MARIAN, shapes.T5)
AT_MOST = {  # end of the name of a size -> its largest value in a small model
    **dict.fromkeys(("d_model", "embd", "embedding_size", "hidden_size", "attention_size"), 128),
    **dict.fromkeys(("d_ff", "ffn_dim", "intermediate_size"), 512),
    **dict.fromkeys(("layers", "n_layer"), 2),
    **dict.fromkeys(("heads", "n_head"), 4),
    "readout_size": 128,
    "vocab_size": 1000,
    "token_id": 999,
}


def small(model: Model) -> Model:
    """The model with smaller sizes."""
    sizes = {
        key: min(value, most)
        for key, value in model.config.items()
        for ending, most in AT_MOST.items()
        if key.endswith(ending) and value is not None
    }
    return replace(model, config=model.config | sizes)


def built(model: Model, precision: str, cache: Path) -> Any:
    """The compiled model with random weights."""
    checkpoint = loaders.load(folder(small(model), cache))
    return models.build(checkpoint.config, checkpoint.tensors, build_settings(precision))


def tokens(count: int) -> NDArray[np.int32]:
    return np.arange(5, 5 + count, dtype=np.int32)


def step(decoder: Any, state: Any, start: int) -> Call:
    """A step of a beam; its hypotheses share their past."""
    beam = np.concatenate(([start], state.fork([start] * (BEAM - 1))))
    return partial(decoder.step, tokens(BEAM), beam, state)


def language_model_step(model: Model, precision: str, cache: Path) -> Call:
    """A step of a language model after a prompt."""
    decoder = built(model, precision, cache)
    state = decoder.new_state()
    (start,) = state.add(1)
    decoder.step(tokens(PROMPT), np.full(PROMPT, start), state)
    return step(decoder, state, start)


def prompt(model: Model, precision: str, cache: Path) -> Call:
    """A prompt of a language model."""
    decoder = built(model, precision, cache)
    state = decoder.new_state()
    (start,) = state.add(1)
    want = np.arange(PROMPT) == PROMPT - 1
    return partial(decoder.step, tokens(PROMPT), np.full(PROMPT, start), state, want)


def seq2seq_step(model: Model, precision: str, cache: Path) -> Call:
    decoder = built(model, precision, cache)
    state = decoder.new_state()
    (start,) = state.add(decoder.encode(tokens(PROMPT), [PROMPT]))
    return step(decoder, state, start)


def source(model: Model, precision: str, cache: Path) -> Call:
    """Two sentences through the encoder of an encoder-decoder."""
    return partial(built(model, precision, cache).encode, tokens(PROMPT), [12, PROMPT - 12])


def hidden_states(model: Model, precision: str, cache: Path) -> Call:
    """Two sentences through an encoder."""
    return partial(built(model, precision, cache).hidden_states, tokens(PROMPT), [12, PROMPT - 12])


def advance(_: Path) -> Call:
    """One step of beam search: log-softmax, the best continuations and the bookkeeping."""
    logits = np.random.default_rng(0).standard_normal((BEAM, 8000)).astype(np.float32)
    logits[:, 1] = -50  # no hypothesis ends
    return partial(Compiled(logits[:1], BEAM).advance, logits)


def kernel(case: Case, _: Path) -> Call:
    return partial(case.attnengine, *case.arrays())


RUNS = {
    "step": (language_model_step, LANGUAGE_MODELS),
    "prompt": (prompt, LANGUAGE_MODELS),
    "decoder step": (seq2seq_step, SEQ2SEQS),
    "encoder": (source, SEQ2SEQS),
    "hidden states": (hidden_states, (shapes.MINILM,)),
}
CASES: dict[str, Callable[[Path], Call]] = {
    **{str(case): partial(kernel, case) for case in KERNELS},
    **{
        f"{model.name} {precision} {name}": partial(make, model, precision)
        for name, (make, of) in RUNS.items()
        for model in of
        for precision in PRECISIONS
    },
    f"beam search advance beam={BEAM} vocab=8000": advance,
}


def mark() -> None:
    """Let callgrind write the counts since the last mark; it watches the cheap call getpgid."""
    os.getpgid(0)


def main(cache: Path, only: str) -> None:
    """Make each call twice and mark the second one, because the first one also initialises."""
    gc.disable()
    for name, make in CASES.items():
        if only not in name:
            continue
        call = make(cache)
        call()
        mark()
        call()
        mark()
        print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
