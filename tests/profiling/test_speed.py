from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import attnengine as ae
from attnengine import cli
from attnengine.errors import InvalidArgument
from attnengine.profiling import bandwidth
from attnengine.profiling.report import plain
from attnengine.profiling.speed import Multiplied, Settings, Speed, measure, multiplied
from tests.conftest import WriteModel

QUICK = {"new_tokens": 3, "repeats": 2, "num_threads": 1}


@pytest.fixture(autouse=True)
def little_memory_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "_READ", 2**16)


def whats(facts: dict[str, Any]) -> list[str]:
    return [speed["what"] for speed in facts["speeds"]]


def test_a_language_model(lm_path: Path) -> None:
    facts = measure(lm_path, Settings(batch_size=2, beam_size=3, input_tokens=5, **QUICK))
    assert whats(facts) == ["prefill of 5 tokens", "decode of 3 tokens"]
    assert facts["architecture"] == "rnn_lm"
    assert facts["peak_memory"] > 2**20
    assert facts["speeds"][0]["bound"] is None
    assert facts["speeds"][1]["bound"] > 0
    assert all(speed["tokens_per_second"] > 0 for speed in facts["speeds"])
    assert len(plain(facts)) == 6
    assert plain(facts)[1] == "run: float32, threads 1, batch 2, beam 3"


def test_an_encoder_decoder(seq2seq_path: Path) -> None:
    facts = measure(seq2seq_path, Settings(**QUICK))
    assert whats(facts) == ["translate of 32 tokens into 3"]
    assert facts["speeds"][0]["bound"] > 0


def test_workers(seq2seq_path: Path) -> None:
    quick = QUICK | {"num_threads": 2}
    facts = measure(seq2seq_path, Settings(batch_size=4, num_workers=2, **quick))
    assert facts["num_workers"] == 2
    assert plain(facts)[1] == "run: float32, threads 2, workers 2, batch 4, beam 1"


def test_an_encoder(write_model: WriteModel) -> None:
    facts = measure(write_model("rnn_encoder"), Settings(input_tokens=4, **QUICK))
    assert whats(facts) == ["encode of 4 tokens"]


def test_a_text_is_no_longer_than_the_positions(write_model: WriteModel) -> None:
    facts = measure(write_model("transformer", max_positions=9), Settings(**QUICK))
    assert facts["input_tokens"] == 7


@pytest.mark.parametrize("name", ["batch_size", "input_tokens", "new_tokens", "repeats"])
def test_settings_that_do_not_fit(name: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{name} is 0, expected 1 or more"):
        Settings(**{name: 0})


def test_more_new_tokens_than_positions(write_model: WriteModel) -> None:
    path = write_model("transformer")
    positions = ae.load(path)._model.max_positions
    with pytest.raises(InvalidArgument, match=f"new_tokens is {positions + 1}, expected at most"):
        measure(path, Settings(**QUICK | {"new_tokens": positions + 1}))


def test_the_median_and_the_bound() -> None:
    speed = Speed.of("decode", 12, [4.0, 1.0, 2.0], least=1.5)
    assert speed == Speed("decode", 6.0, 0.75, 8.0)


def test_what_a_token_is_multiplied_with() -> None:
    shapes = {
        "model.embed_tokens.weight": (100, 8),
        "layers.0.q_proj.weight": (8, 8),
        "layers.0.norm.weight": (8,),
        "layers.0.experts.up": (4, 3, 8),
    }
    found = multiplied(shapes, 100, encoder=False, experts=0.5)
    assert found == Multiplied(0, 8 * 8 + 48, 800)
    separate = shapes | {"lm_head.weight": (100, 8)}
    assert multiplied(separate, 100, encoder=False, experts=0.5) == found
    assert multiplied(shapes, 100, encoder=True) == Multiplied(8 * 8 + 96, 0, 0)


def test_the_command(lm_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--new-tokens", "2", "--repeats", "1", "--input-tokens", "3", "--num-threads", "2"]
    options += ["--num-workers", "2"]
    assert cli.run(["bench", str(lm_path), *options]) == 0
    text = capsys.readouterr().out
    assert "prefill of 3 tokens: " in text
    assert "threads 2, workers 2" in text
    assert " that memory allows\n" in text
    assert cli.run(["bench", str(lm_path), *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new_tokens"] == 2
    assert cli.run(["bench", str(lm_path), "--batch-size", "0"]) == 2
    assert "batch_size is 0" in capsys.readouterr().err
