"""Adapters give the requested number of tokens, and every engine computes the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq
from benchmarks.peers import shapes
from benchmarks.peers.case import Case, Group, Workload
from benchmarks.peers.engines import ENGINES, Engine, Setup, engine_class
from benchmarks.peers.engines.numpy_rnns import NumPy, Sources, TargetStep
from benchmarks.peers.engines.our_operators import AttnOperators
from benchmarks.peers.engines.ours import AttnEngine
from benchmarks.peers.models import Model, weights_of
from benchmarks.peers.operators import layer_norm, linear, operators, recurrent, top_k
from benchmarks.peers.worker import Worker
from benchmarks.peers.workloads import encoding, generation, prefill, scoring, translation
from tests.benchmarks.peers import small_models as models

SEQ2SEQS = (models.RNNSEARCH, models.OPENNMT, models.MARIAN, models.T5)
LANGUAGE_MODELS = (models.LSTM_LM, models.GPT2, models.QWEN2)


def ran(engine: Engine, case: Case) -> bool:
    """Whether the engine returned the number of tokens that the case requests."""
    units: int = getattr(engine, case.op)(**case.params)
    return units == case.units


@pytest.mark.parametrize("model", SEQ2SEQS, ids=lambda model: model.name)
def test_ours_translates(model: Model, tmp_path: Path) -> None:
    engine = AttnEngine(Setup(model, "float32", 1, tmp_path))
    assert ran(engine, translation(model, batch=32, beam=3, new=6))
    assert ran(engine, translation(model, batch=1, beam=1, new=6))


@pytest.mark.parametrize("model", LANGUAGE_MODELS, ids=lambda model: model.name)
def test_ours_generates(model: Model, tmp_path: Path) -> None:
    engine = AttnEngine(Setup(model, "float32", 1, tmp_path))
    for beam in (1, 4):
        assert ran(engine, generation("case", model, prompt=2, beam=beam, new=9))
    assert ran(engine, scoring(model, texts=3, length=5))


def test_ours_reads_a_prompt_and_encodes(tmp_path: Path) -> None:
    engine = AttnEngine(Setup(models.GPT2, "float32", 1, tmp_path))
    assert ran(engine, prefill(models.GPT2, 11))
    engine = AttnEngine(Setup(models.MINILM, "float32", 1, tmp_path))
    assert ran(engine, encoding(models.MINILM, batch=2, length=7))


def test_ours_has_every_family() -> None:
    for model in (*SEQ2SEQS, *LANGUAGE_MODELS, models.MINILM):
        assert "float32" in AttnEngine.variants(model)
    assert AttnEngine.variants(shapes.OPERATORS) == []


@pytest.mark.parametrize("name", ["numpy", "attnengine"])
def test_operators(name: str, tmp_path: Path) -> None:
    kind = engine_class(name, "operators")
    assert kind is not None
    setup = Setup(shapes.OPERATORS, "float32", 1, tmp_path)
    kind.prepare(setup)
    engine = kind(setup)
    small = [linear(2, 5, 3), top_k(2, 9, 3), layer_norm(2, 8), recurrent("lstm", 3, 2, 3, 4)]
    for case in [*small, recurrent("gru", 3, 2, 3, 4)]:
        engine.operator(case.params["kind"], case.params["shape"], 2)
    for case in operators():
        if case.id == "prefill-128":
            assert ran(engine, Case(case.id, case.op, case.params, case.units, "us/call", 0.0))
    assert AttnOperators.variants(models.GPT2) == []


@pytest.mark.parametrize("model", [models.RNNSEARCH, models.OPENNMT, models.LSTM_LM])
def test_numpy_makes_as_many_tokens(model: Model, tmp_path: Path) -> None:
    engine = NumPy(Setup(model, "float32", 1, tmp_path))
    if model.family == "rnn_seq2seq":
        assert ran(engine, translation(model, batch=32, beam=3, new=6))
        return
    assert ran(engine, generation("case", model, prompt=2, beam=1, new=9))
    assert ran(engine, generation("case", model, prompt=2, beam=4, new=9))
    assert ran(engine, scoring(model, texts=3, length=5))


def batched_steps(step: Any, state: Any, targets: list[list[int]]) -> np.ndarray:
    """Logits (batch, steps, vocab_size) of given targets, one hypothesis per sentence."""
    rows = []
    for tokens in np.array(targets).T:
        logits, state = step(tokens, state)
        rows.append(logits)
    return np.stack(rows, axis=1)


SOURCES, TARGETS = [[5, 6, 7, 8], [9, 5]], [[1, 6, 8], [1, 9, 5]]


@pytest.mark.parametrize("model", [models.RNNSEARCH, models.OPENNMT], ids=lambda m: m.name)
def test_the_batched_step_of_numpy_is_the_model(model: Model, tmp_path: Path) -> None:
    ours = ae.load(Setup(model, "float32", 1, tmp_path).folder)
    assert isinstance(ours, ae.Seq2Seq)
    reference = RnnSeq2Seq(model.config, weights_of(model))
    sources = Sources(reference, SOURCES)
    state = list(sources.first)
    if model.config["input_feeding"]:
        state.append(np.zeros((2, 1, model.config["readout_size"]), np.float32))
    found = batched_steps(TargetStep(reference, sources), state, TARGETS)
    for source, target, logits in zip(SOURCES, TARGETS, found, strict=True):
        # float32 sums in another order
        np.testing.assert_allclose(logits, ours.logits(source, target), rtol=1e-4, atol=1e-5)


def workload(model: Model, *cases: Case) -> Workload:
    return Workload("w0", "A workload", [Group(model, list(cases))])


def test_a_worker_says_what_things_took(tmp_path: Path) -> None:
    case = generation("case", models.GPT2, prompt=2, beam=1, new=9)
    beams = generation("beams", models.GPT2, prompt=2, beam=1, new=70)  # exceeds the positions
    setup = Setup(models.GPT2, "float32", 1, tmp_path)
    worker = Worker(AttnEngine, setup, workload(models.GPT2, case, beams))
    assert worker.answer("prepare") == {}
    assert worker.answer("load")["memory_before"] > 0
    answer = worker.answer("run", case="case")
    assert answer["units"] == 9
    assert answer["seconds"] > 0
    assert worker.answer("run", case="beams")["units"] < 70
    assert worker.answer("peak")["memory"] > 0
    assert "KeyError" in worker.answer("run", case="other")["error"]


def test_every_engine_has_a_module() -> None:
    folder = Path(__file__).parents[3] / "benchmarks" / "peers" / "engines"
    for classes in ENGINES.values():
        for name in classes:
            assert (folder / f"{name.partition('.')[0]}.py").is_file()
