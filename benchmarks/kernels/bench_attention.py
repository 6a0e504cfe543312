"""One step of attention over one sentence: C++ against NumPy, and Cython for the additive score."""

from __future__ import annotations

from typing import Any

from attnengine import kernels
from attnengine.reference import attention as reference
from benchmarks.kernels.case import Case, measure, parametrize, random_arrays, threaded
from benchmarks.kernels.cython_twins import twin

SIZES = [(1, 20, 256), (4, 20, 256), (8, 20, 512), (8, 100, 512)]  # (beam, src, dim)


def case(name: str, beam: int, src: int, dim: int) -> Case:
    extra: list[tuple[int, ...]] = {
        "additive": [(dim,)],
        "dot": [],
        "general": [(dim, dim)],
        "concat": [(dim, 2 * dim), (dim,)],
    }[name]
    arrays = random_arrays((beam, dim), (src, dim), (src, dim), *extra, scale=dim**-0.25)
    function = getattr(reference, f"{name}_attention")
    kernel = threaded(f"{name}_attention")
    if name == "general":  # the weight is packed once, as in a model
        packed = kernels.PackedLinear(arrays()[-1])
        return Case(
            "general attention",
            f"beam={beam} src={src} dim={dim}",
            arrays,
            function,
            lambda query, keys, values, _: kernel(query, keys, values, packed),
        )
    size = f"beam={beam} src={src} dim={dim}"
    cython = twin("additive_attention") if name == "additive" else None
    return Case(f"{name} attention", size, arrays, function, kernel, cython=cython)


CASES = [case(name, *size) for name in ("additive", "dot") for size in SIZES]
CASES += [case(name, 4, 20, 256) for name in ("general", "concat")]


@parametrize(CASES)
def test_attention(benchmark: Any, case: Case, name: str) -> None:
    measure(benchmark, case, name)
