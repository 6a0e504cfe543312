"""The benchmark of streamed weights."""

from attnengine.profiling.sizes import BYTES
from benchmarks.studies.streams import rates


def test_every_precision_has_a_rate() -> None:
    found = rates(64, 48, count=2, threads=1, seconds=0.05)
    assert list(found) == list(BYTES)
    for cell in found.values():
        median, best = (float(part.strip("()")) for part in cell.split())
        assert 0 < median <= best
