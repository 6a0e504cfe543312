from __future__ import annotations

import os
import subprocess
import sys

from attnengine import kernels


def run(isa: str) -> subprocess.CompletedProcess[str]:
    code = "from attnengine import kernels; print(kernels.isa())"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ATTNENGINE_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_environment_forces_an_instruction_set() -> None:
    for isa in kernels.available_isas():
        assert run(isa).stdout.strip() == isa


def test_an_instruction_set_that_is_not_there_is_an_error() -> None:
    result = run("avx9000")
    assert result.returncode != 0
    assert 'ATTNENGINE_ISA is "avx9000", expected one that this machine has:' in result.stderr
    assert ", ".join(kernels.available_isas()) in result.stderr
