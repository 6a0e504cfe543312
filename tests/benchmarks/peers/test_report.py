from __future__ import annotations

from typing import Any

from benchmarks.peers.report import markdown


def row(seconds: float, **more: Any) -> dict[str, Any]:
    limit = {"seconds": 1.0, "by": "memory"}
    return {"seconds": seconds, "spread": 0.1, "noisy": False, "bound": limit, **more}


def results(unit: str = "tok/s", workload: str = "w1") -> list[dict[str, Any]]:
    rows = {
        "llama.cpp f32": row(4.0),
        "torch float32": row(5.0, noisy=True),
        "torch int8": {"unsupported": "no beams"},
        "attnengine float32": row(2.0, spread=None),
    }
    engine = {"memory": 1234.0, "memory_before": 43.5, "seconds": 0.5}
    return [
        {
            "workload": workload,
            "title": "A title",
            "model": "model",
            "threads": 2,
            "limits": {"bandwidth": 3e10, "peaks": {"float32": 2e11}},
            "engines": {**dict.fromkeys(rows, engine), "numpy float32": {"error": "too old"}},
            "cases": {"case": {"unit": unit, "units": 400, "rows": rows}},
        }
    ]


def test_the_best_peer_of_the_same_precision() -> None:
    text = markdown(results())
    compared = (
        "| model case, tok/s | float32 | llama.cpp f32 | 100 | 200 | 2.00 | 400 memory | 50 % |"
    )
    assert compared in text
    assert text.count("| int8 |") == 0  # attnengine has no int8 result here


def test_a_row_for_every_engine() -> None:
    text = markdown(results())
    assert "| llama.cpp f32 | 100 ±10 % (25 %) | 1234 | 43.5 | 0.50 |" in text
    assert "| torch float32 | 80.0 ±10 %\\* (20 %) |" in text
    assert "| torch int8 | n/a |" in text
    assert "| attnengine float32 | 200 ±? (50 %) |" in text
    assert "| numpy float32 | too old |" in text
    assert (
        "2 threads: 30.0 GB/s read from memory; billions of operations a second: float32 200."
        in text
    )


def test_operators_stand_one_below_the_other() -> None:
    text = markdown(results("us/call", "w7"))
    assert "| case | 10000 ±10 % | 12500 ±10 %\\* | n/a | 5000 ±? | n/a | 2.00 |  |" in text
    assert "| model case, us/call | float32 | llama.cpp f32 | 10000 | 5000 | 2.00 |" in text
