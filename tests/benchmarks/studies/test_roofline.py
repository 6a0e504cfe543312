from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.peers.bounds import Limits
from benchmarks.studies import roofline
from benchmarks.studies.roofline import Point, measure, plot


def test_operations_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofline, "INPUTS", 128)
    monkeypatch.setattr(roofline, "OUTPUTS", 32)
    curves = measure(threads=1, repeats=1)
    for points in curves.values():
        assert [point.rows for point in points] == list(roofline.ROWS)
        assert all(point.speed > 0 for point in points)
    # one row: two operations per weight of 68 / 64 bytes, and 160 float32 numbers
    assert curves["int8"][0].intensity == 2 * 4096 / (4096 * 68 / 64 + 640)


def test_a_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    limits = Limits(4e10, {"float32": 4e11, "int8": 1.4e12})
    plot(tmp_path / "plot.svg", limits, {"float32": [Point(1, 2e10, 0.5), Point(64, 3e11, 30.0)]})
    assert "peak of int8" in (tmp_path / "plot.svg").read_text(encoding="utf-8")
