"""The command line as a process: pipes that close, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
    # what runs in the background inherits an ignored SIGINT
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
        process.stdout.readline()  # it has started, and waits for more
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, b"")
