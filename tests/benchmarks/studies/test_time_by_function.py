"""Samples of a profile are assigned to groups of functions."""

import pytest

from benchmarks.studies.time_by_function import part_of


@pytest.mark.parametrize(
    ("symbol", "part"),
    [
        ("attnengine::avx2::(anonymous namespace)::Int8::multiply<6, 2>", "products"),
        ("attnengine::avx2::quantise_rows(attnengine::MatrixView<float const>)", "quantising"),
        ("attnengine::avx2::(anonymous namespace)::round_rows(MatrixView)", "quantising"),
        ("attnengine::avx512::(anonymous namespace)::score_pages<6, 4, float>", "attention"),
        ("attnengine::avx512::(anonymous namespace)::rms_norm_row", "gates, norms, activations"),
        ("attnengine::BeamSearch::advance", "logits, search"),
        ("attnengine::ThreadPool::next", "waiting"),
        ("attnengine::avx2::unpack_linear_int8", "other of attnengine"),
        ("__memmove_avx512_unaligned_erms", "copies"),
        ("_PyEval_EvalFrameDefault", "Python"),
        ("exc_page_fault", "other"),
    ],
)
def test_symbol_is_counted_as(symbol: str, part: str) -> None:
    assert part_of(symbol) == part
