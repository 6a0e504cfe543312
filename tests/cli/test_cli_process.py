"""The command line as a process: streams closed before or during the run, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from attnengine.cli import main; main()"]


def test_a_reader_that_has_enough(seq2seq_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "translate", "--model", str(seq2seq_path), "--max-new-tokens", "2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(b"abc\n" * 2000)
    assert (process.returncode, err) == (0, b"")


def test_ctrl_c(seq2seq_path: Path) -> None:
    # a process started in the background inherits an ignored SIGINT
    with subprocess.Popen(
        [*COMMAND, "translate", "--model", str(seq2seq_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"abc\n" * 512)  # one chunk
        process.stdin.flush()
        process.stdout.readline()  # the command has started and waits for input
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, b"\n")  # the shell's prompt begins a line


@pytest.fixture
def call(
    seq2seq_path: Path, lm_path: Path, write_model: Callable[..., Path], tmp_path: Path
) -> Callable[[str, str], tuple[int, str, str]]:
    """Run a command with one stream closed; return its status, output and errors."""
    template = "{% for m in messages %}{{ m.content }} {% endfor %}"
    arguments: dict[str, list[object]] = {
        "translate": ["--model", seq2seq_path],
        "generate": ["--model", lm_path, "--max-new-tokens", 3],
        "chat": ["--model", write_model("rnn_lm", chat_template=template), "--max-new-tokens", 3],
        "score": ["--model", lm_path],
        "encode": ["--model", write_model("rnn_encoder")],
        "info": [seq2seq_path],
        "convert": [seq2seq_path, tmp_path / "converted"],
        "bench": [lm_path, "--new-tokens", 1, "--repeats", 1, "--input-tokens", 1],
        "--help": [],
    }

    def run(command: str, redirection: str) -> tuple[int, str, str]:
        shell = ["sh", "-c", f'"$@" {redirection}', "sh", *COMMAND, command]
        line = [*shell, *map(str, arguments[command])]
        done = subprocess.run(line, input=b"abc\n", capture_output=True, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


READS = ["translate", "generate", "chat", "score", "encode"]
WRITES = [*READS, "info", "bench", "--help"]
Call = Callable[[str, str], tuple[int, str, str]]


@pytest.mark.parametrize("command", READS)
def test_closed_input(call: Call, command: str) -> None:
    assert call(command, "<&-") == (2, "", "attnengine: standard input: Bad file descriptor\n")


@pytest.mark.parametrize("command", WRITES)
def test_closed_output(call: Call, command: str) -> None:
    status, _, err = call(command, ">&-")
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("attnengine: ")
    assert err.endswith("Bad file descriptor\n")


@pytest.mark.parametrize("command", WRITES)
def test_closed_errors(call: Call, command: str) -> None:
    status, out, _ = call(command, "2>&-")
    assert status == 0
    assert out


def test_streams_that_a_command_does_not_use_may_be_closed(
    call: Call, seq2seq_path: Path, tmp_path: Path
) -> None:
    assert call("convert", "<&- >&- 2>&-") == (0, "", "")
    assert (tmp_path / "converted" / "config.json").exists()
    assert call("info", "<&- 2>&-")[0] == 0
    (tmp_path / "in").write_text("abc\n")
    files = f"--input {tmp_path / 'in'} --output {tmp_path / 'out'} <&- >&- 2>&-"
    assert call("translate", files) == (0, "", "")
    assert len((tmp_path / "out").read_text().splitlines()) == 1
