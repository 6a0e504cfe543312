from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.instructions.__main__ import COUNTS, compare
from benchmarks.instructions.comparison import Counts, complaints
from benchmarks.instructions.counting import total

ACCEPTED = Counts("GCC 12.2.0", {"step": 1_000_000})


def complaint(count: int) -> list[str]:
    return list(complaints(Counts(ACCEPTED.compiler, {"step": count}), ACCEPTED))


def test_one_percent_passes() -> None:
    assert complaint(1_010_000) == complaint(990_000) == []


def test_three_percent_more_fails() -> None:
    assert complaint(1_030_000) == ["step: 3.0% more instructions than accepted"]


def test_three_percent_fewer_have_to_be_accepted() -> None:
    assert complaint(970_000) == ["step: 3.0% fewer instructions than accepted: accept them"]


def test_a_case_without_a_count_has_to_be_accepted() -> None:
    found = Counts(ACCEPTED.compiler, {"step": 1_000_000, "other": 5})
    assert list(complaints(found, ACCEPTED)) == ["other: no count was accepted yet"]


def test_status_and_how_to_accept(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(ACCEPTED, ACCEPTED) == 0
    assert "--accept" not in capsys.readouterr().out
    assert compare(Counts(ACCEPTED.compiler, {"step": 1_030_000}), ACCEPTED) == 1
    assert "--accept" in capsys.readouterr().out


def test_counts_of_another_compiler_are_shown_but_not_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert compare(Counts("Clang 14.0.6", {"step": 1_100_000}), ACCEPTED) == 0
    shown = capsys.readouterr().out
    assert "NOT COMPARED" in shown
    assert "'GCC 12.2.0'" in shown
    assert "'Clang 14.0.6'" in shown
    assert "1,100,000" in shown


def test_counts_are_read_as_they_were_written(tmp_path: Path) -> None:
    ACCEPTED.write(tmp_path / "counts.json")
    assert Counts.read(tmp_path / "counts.json") == ACCEPTED


def test_the_total_of_a_profile() -> None:
    assert total("summary: 8\n\n\ntotals: 12345\n") == 12345
    with pytest.raises(SystemExit, match="no line of totals"):
        total("totals: of what?\n")


def test_every_case_runs_and_has_an_accepted_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # else importing the benchmarks fails
    from benchmarks.instructions.cases import CASES

    assert list(Counts.read(COUNTS).counts) == list(CASES)
    for make in CASES.values():
        make(tmp_path)()
