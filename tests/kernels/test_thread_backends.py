from __future__ import annotations

import os
import subprocess
import sys

from attnengine import kernels

PRODUCT = """
import hashlib
import numpy as np
from attnengine import kernels

rng = np.random.default_rng(0)
x, weight = rng.normal(size=(64, 256)), rng.normal(size=(1024, 256))
y = kernels.linear(x, weight, num_threads=3)
print(kernels.thread_backend(), hashlib.sha256(y).hexdigest())
"""

FORKED_CHILD = """
import os
import signal
from attnengine.errors import Error

pid = os.fork()
if pid == 0:
    signal.alarm(60)  # a child that hangs is a failure
    try:
        kernels.linear(x, weight, num_threads=3)
    except Error as error:
        os._exit(7 if "spawn" in str(error) else 1)
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def run(backend: str, code: str = PRODUCT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ATTNENGINE_PARALLEL": backend},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_environment_chooses_who_runs_threads() -> None:
    outputs = {name: run(name).stdout.split() for name in kernels.available_thread_backends()}
    assert {name: output[0] for name, output in outputs.items()} == {name: name for name in outputs}
    assert len({output[1] for output in outputs.values()}) == 1  # the same bits


def test_the_pool_is_the_default() -> None:
    assert kernels.available_thread_backends()[0] == "pool"
    environment = {k: v for k, v in os.environ.items() if k != "ATTNENGINE_PARALLEL"}
    command = [sys.executable, "-c", PRODUCT]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert output.stdout.startswith("pool ")


def test_a_backend_that_is_not_there_is_an_error_of_every_call() -> None:
    code = PRODUCT.replace("num_threads=3", "num_threads=1")
    result = run("threads", code)
    assert result.returncode != 0
    assert 'ATTNENGINE_PARALLEL is "threads", expected one that this build has:' in result.stderr
    assert ", ".join(kernels.available_thread_backends()) in result.stderr


def test_a_forked_child_gets_an_error_instead_of_hanging() -> None:
    for backend in kernels.available_thread_backends():
        assert run(backend, PRODUCT + FORKED_CHILD).stdout.split()[-1] == "7"
