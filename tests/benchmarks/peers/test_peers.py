"""PyTorch's RNNs give the same logits as ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import attnengine as ae
from benchmarks.peers.engines.base import Setup
from benchmarks.peers.models import Model
from benchmarks.peers.workloads import generation, scoring, translation
from tests.benchmarks.peers import small_models as models
from tests.benchmarks.peers.test_engines import SOURCES, TARGETS, batched_steps, ran

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("model", [models.RNNSEARCH, models.OPENNMT], ids=lambda m: m.name)
def test_seq2seq(model: Model, tmp_path: Path) -> None:
    from benchmarks.peers.engines.pytorch import Torch

    setup = Setup(model, "float32", 1, tmp_path)
    engine, ours = Torch(setup), ae.load(setup.folder)
    assert isinstance(ours, ae.Seq2Seq)
    lengths = torch.tensor([len(source) for source in SOURCES])
    padded = torch.tensor([source + [0] * (4 - len(source)) for source in SOURCES])
    mask = (torch.arange(4) < lengths[:, None]).float()
    encoded, states = engine.encoder(padded, lengths, mask)

    def step(tokens: np.ndarray, state: list[torch.Tensor]) -> tuple[np.ndarray, list[object]]:
        logits, *new = engine.step(torch.tensor(tokens), *state, *encoded)
        return logits.numpy(), new

    found = batched_steps(step, list(states), TARGETS)
    for source, target, logits in zip(SOURCES, TARGETS, found, strict=True):
        # float32 sums in another order
        np.testing.assert_allclose(logits, ours.logits(source, target), rtol=1e-4, atol=1e-5)
    assert ran(engine, translation(model, batch=32, beam=3, new=6))


def test_language_model(tmp_path: Path) -> None:
    from benchmarks.peers.engines.pytorch import Torch

    setup = Setup(models.LSTM_LM, "float32", 1, tmp_path)
    engine, ours = Torch(setup), ae.load(setup.folder)
    assert isinstance(ours, ae.LanguageModel)
    ids = [5, 9, 4, 11]
    zeros = torch.zeros(2, 1, 8)
    logits = engine.step(torch.tensor([ids]), zeros, zeros)[0][0].numpy()
    np.testing.assert_allclose(logits, ours.logits(ids), rtol=1e-4, atol=1e-5)
    for beam in (1, 4):
        assert ran(engine, generation("case", models.LSTM_LM, prompt=2, beam=beam, new=9))
    assert ran(engine, scoring(models.LSTM_LM, texts=3, length=15))
