from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.studies import scaling
from benchmarks.studies.scaling import CURVES, Curve, Point, measure, plot, point

TINY = {"vocab_size": 950, "hidden_size": 8, "intermediate_size": 8, "num_layers": 1}


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "CONFIG", scaling.CONFIG | TINY)
    whole = CURVES[name]
    curve = Curve(whole.sizes[:1], whole.label, whole.run, whole.model, whole.measured)
    (found,) = measure(curve, repeats=2, threads=1)
    assert found.size == whole.sizes[0]
    assert found.seconds > 0
    assert found.spread >= 0


def test_a_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot(tmp_path / "plot.svg", "size", [Point(1, 1e-3, 0.1), Point(2, 2e-3, 0.0)])
    assert "size" in (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_the_middle_half_is_the_spread() -> None:
    assert point(3, [1.0, 9.0, 2.0, 3.0, 2.5]) == Point(3, 2.5, 0.2)
