"""Plots of measurements in small files, which change only if their data change."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def logarithmic(x: str, y: str) -> tuple[Any, Any]:
    """A figure with two logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    for axis, label in ((axes.xaxis, x), (axes.yaxis, y)):
        axis.set_major_formatter("{x:g}")
        axis.set_label_text(label)
    axes.grid(alpha=0.3)
    return figure, axes


def save(figure: Any, path: Path) -> None:
    """Write SVG or PNG, by the suffix of the path."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "attnengine"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
