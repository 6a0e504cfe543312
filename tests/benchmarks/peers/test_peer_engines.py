"""The adapters of other engines give the requested number of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.peers.case import Case
from benchmarks.peers.engines import Setup, engine_class
from benchmarks.peers.models import Model
from benchmarks.peers.workloads import encoding, generation, prefill, translation
from tests.benchmarks.peers import small_models as models
from tests.benchmarks.peers.test_engines import ran

pytestmark = pytest.mark.peers

TRANSFORMERS = (models.MARIAN, models.T5, models.GPT2, models.QWEN2, models.MINILM)
ADAPTERS = [(name, model) for name in ("ctranslate2", "transformers") for model in TRANSFORMERS]
ADAPTERS += [("onnxruntime", model) for model in (models.LSTM_LM, models.MINILM)]


@pytest.fixture(autouse=True)
def gradients() -> Iterator[None]:
    """Restores PyTorch's gradients after an adapter has switched them off."""
    torch = pytest.importorskip("torch")
    with torch.enable_grad():
        yield


def cases(model: Model) -> list[Case]:
    """The model's cases, shorter than in the benchmark."""
    if model.family == "bert":
        return [encoding(model, batch=2, length=7)]
    if model.family in ("marian", "t5"):
        return [translation(model, batch=32, beam=3, new=6)]
    made = [generation("case", model, prompt=2, beam=beam, new=9) for beam in (1, 4)]
    return made if model.family == "rnn_lm" else [prefill(model, 11), *made]


@pytest.mark.parametrize(
    ("name", "model"), ADAPTERS, ids=[f"{name}, {model.name}" for name, model in ADAPTERS]
)
@pytest.mark.filterwarnings("ignore")  # warnings of the engines themselves
def test_adapter(name: str, model: Model, tmp_path: Path) -> None:
    pytest.importorskip(name)
    kind = engine_class(name, model.family)
    assert kind is not None
    for variant in kind.variants(model):
        setup = Setup(model, variant, 1, tmp_path)
        kind.prepare(setup)
        engine = kind(setup)
        for case in cases(model):
            assert ran(engine, case), (variant, case.id)
