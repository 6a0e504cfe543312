"""The kernels of twins.pyx, compiled at the first call of one of them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("twins.pyx")
# These options let the compiler vectorise loops, also exp and tanh: the fastest Cython can be.
OPTIONS = ["-O3", "-march=native", "-ffast-math", "-fPIC"]


@lru_cache(maxsize=1)
def compiled() -> Any:
    """The module, built by Cython and the compiler CC in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "twins.so"
        build(library)
        spec = importlib.util.spec_from_file_location("twins", library)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def build(library: Path) -> None:
    from Cython.Compiler.Main import compile_single
    from Cython.Compiler.Options import CompilationOptions

    code, binary = library.with_suffix(".c"), library.with_suffix(".o")
    found = compile_single(str(SOURCE), CompilationOptions(output_file=str(code)), "twins")
    if found.num_errors:
        raise RuntimeError(f"{SOURCE.name}: Cython found {found.num_errors} errors")
    compiler, include = os.environ.get("CC", "cc"), f"-I{sysconfig.get_path('include')}"
    subprocess.run([compiler, *OPTIONS, include, "-c", str(code), "-o", str(binary)], check=True)
    # Linked without -ffast-math, which would flush subnormal numbers to zero in the whole process.
    subprocess.run([compiler, "-shared", str(binary), "-o", str(library), "-lm"], check=True)


def twin(name: str) -> Callable[..., Any] | None:
    """The kernel of this name, or None without Cython."""
    if importlib.util.find_spec("Cython") is None:
        return None
    return lambda *arrays: getattr(compiled(), name)(*arrays)
