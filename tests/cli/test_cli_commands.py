"""The commands themselves; test_cli.py tests how lines are read and written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import g2p
from attnengine.cli import encode, score, search
from attnengine.profiling import speed
from tests.helpers.cli_runs import Run, refused


@pytest.mark.parametrize("command", ["translate", "generate", "score", "encode", "bench"])
def test_workers(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Each command divides its threads among the workers and refuses impossible numbers."""
    asked: dict[str, Any] = {}

    def load(path: Path, **options: Any) -> None:
        asked.update(options)
        raise ae.Error("enough")

    for module in (search, score, encode, speed):
        monkeypatch.setattr(module, "load", load)
    model = ["model"] if command == "bench" else ["--model", "model"]
    assert refused(run(command, *model, "--num-threads", 3, "--num-workers", 2), "enough")
    assert (asked["num_threads"], asked["num_workers"]) == (3, 2)


def test_workers_find_the_same(run: Run, seq2seq: ae.Seq2Seq) -> None:
    model, texts = ["--model", seq2seq.path], b"abc\nde\nh\n"
    workers = ["--num-threads", 2, "--num-workers", 2]
    assert run("translate", *model, *workers, stdin=texts) == run("translate", *model, stdin=texts)
    assert refused(run("translate", *model, "--num-threads", 1, "--num-workers", 2), "num_workers")


def test_encode(run: Run, write_model: Callable[..., Path]) -> None:
    model = ae.load(write_model("rnn_encoder"))
    status, out, _ = run("encode", "--model", model.path, "--pooling", "first", stdin=b"abc\nde\n")
    assert status == 0
    vectors = np.array([json.loads(line) for line in out.splitlines()], np.float32)
    np.testing.assert_array_equal(vectors, model.encode(["abc", "de"], pooling="first"))
    assert run("encode", "--model", model.path, stdin=b"\n")[1] == "\n"
    folder = write_model("rnn_lm")
    message = "expected an encoder to encode with"
    assert refused(run("encode", "--model", folder, stdin=b"a\n"), message)


def test_info(run: Run, seq2seq: ae.Seq2Seq) -> None:
    status, out, _ = run("info", seq2seq.path)
    facts = dict(line.split(": ", 1) for line in out.splitlines())
    assert status == 0
    assert facts["architecture"] == "rnn_seq2seq"
    assert facts["target_vocab_size"] == "11"
    assert facts["eos_token_id"] == "1"
    assert facts["vocabularies"] == '{"source": 10, "target": 11}'
    facts = json.loads(run("info", seq2seq.path, "--json")[1])
    assert facts["tokenizer"] == {"source": "characters", "target": "words"}
    assert facts["bytes"] == sum(file.stat().st_size for file in seq2seq.path.iterdir())
    assert facts["parameters"] > 1000
    assert facts["stored_as"] == {"float32": facts["parameters"]}
    assert facts["memory"]["float32"] >= 4 * facts["parameters"]
    assert max(facts["memory"], key=facts["memory"].get) == "float32"
    assert facts["cache_per_token"] is None
    assert facts["context_length"] is None
    assert (facts["languages"], facts["chat_template"]) == ([], False)
    assert refused(run("info", seq2seq.path / "nowhere"), "nowhere")
    assert refused(run("info"), "argument 'PATH'")


def test_info_of_what_is_long(run: Run, write_model: Callable[..., Path]) -> None:
    keys = {"languages": {"en": 1, "de": 2}, "language_place": "before"}
    folder = write_model("transformer", **keys, source_language=None, target_language="de")
    facts = json.loads(run("info", folder, "--json")[1])
    assert facts["languages"] == ["de", "en"]
    assert facts["context_length"] == 12
    template = "{{ messages }}"
    facts = json.loads(run("info", write_model("rnn_lm", chat_template=template), "--json")[1])
    assert facts["chat_template"] is True
    assert facts["tokenizer_files"] == []


def test_languages(run: Run, write_model: Callable[..., Path], seq2seq: ae.Seq2Seq) -> None:
    keys = {"languages": {"en": 1, "de": 2}, "language_place": "before"}
    folder = write_model("transformer", **keys, source_language="en", target_language=None)
    pair = ["--source-language", "de", "--target-language", "en"]
    status, out, _ = run("translate", "--model", folder, *pair, stdin=b"abc\n")
    model: Any = ae.load(folder)
    expected = model.translate("abc", source_language="de", target_language="en").text
    assert (status, out) == (0, expected + "\n")
    assert refused(run("translate", "--model", folder, stdin=b"a\n"), "target_language is None")
    assert refused(run("translate", "--model", seq2seq.path, *pair), "the model has no languages")


def test_chat(run: Run, write_model: Callable[..., Path], lm_path: Path) -> None:
    template = "{% for m in messages %}{{ m.content }} {% endfor %}"
    folder = write_model("rnn_lm", chat_template=template)
    options = ["--max-new-tokens", "5", "--seed", "1"]
    status, out, _ = run("chat", "--model", folder, "--system", "a", *options, stdin=b"b\nc\n")
    model: Any = ae.load(folder)
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    first = model.chat(messages, max_new_tokens=5, seed=1).text
    messages += [{"role": "assistant", "content": first}, {"role": "user", "content": "c"}]
    second = model.chat(messages, max_new_tokens=5, seed=1).text
    assert (status, out) == (0, f"{first}\n{second}\n")
    assert refused(run("chat", "--model", lm_path, stdin=b"a\n"), "no chat template")


def test_convert(run: Run, seq2seq: ae.Seq2Seq, tmp_path: Path) -> None:
    assert run("convert", seq2seq.path, tmp_path / "new") == (0, "", "")
    copy: Any = ae.load(tmp_path / "new")
    assert copy.translate("abc") == seq2seq.translate("abc")
    assert refused(
        run("convert", seq2seq.path, tmp_path / "new"), "exists, expected a new or empty"
    )
    assert refused(run("convert", tmp_path / "nowhere", tmp_path / "other"), "nowhere")


def test_help(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    assert all(
        name in out for name in ("translate", "generate", "score", "encode", "info", "convert")
    )
    status, out, _ = run("translate", "--help")
    assert status == 0
    assert "--beam-size" in out


def test_the_packaged_model_translates(
    run: Run, seq2seq_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(g2p, "PATH", seq2seq_path)
    g2p._shared.cache_clear()
    status, out, _ = run("translate", stdin=b"abc\n")
    assert (status, out) == (0, g2p.pronounce("abc") + "\n")
    # each worker has one thread
    assert run("translate", "--num-workers", 2, stdin=b"abc\n") == (0, out, "")
    assert g2p.pronounce(["abc", ""], beam_size=5) == [out[:-1], ""]
    g2p._shared.cache_clear()
