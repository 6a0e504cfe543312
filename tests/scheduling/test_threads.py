from __future__ import annotations

import math
from pathlib import Path

import pytest

from attnengine.errors import InvalidArgument
from attnengine.scheduling.threads import available_threads, cgroup_quota, choose_threads


def groups(folder: Path, membership: str, files: dict[str, str]) -> float:
    (folder / "membership").write_text(membership)
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return cgroup_quota(folder / "cgroup", folder / "membership")


@pytest.mark.parametrize(
    ("membership", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "400000 100000\n"}, 3),
        ("0::/not/visible/here\n", {"cpu.max": "200000 100000\n"}, 2),
        (
            "4:cpu,cpuacct:/x\n",
            {"cpu/x/cpu.cfs_quota_us": "50000\n", "cpu/x/cpu.cfs_period_us": "100000\n"},
            0.5,
        ),
        (
            "4:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            math.inf,
        ),
        (
            "4:memory:/x\n",
            {"cpu/x/cpu.cfs_quota_us": "5\n", "cpu/x/cpu.cfs_period_us": "9\n"},
            math.inf,
        ),
        ("0::/\n", {"cpu.max": "what\n"}, math.inf),
        ("0::/\n", {"cpu.max": "1 0\n"}, math.inf),
        ("", {}, math.inf),
    ],
)
def test_quota(tmp_path: Path, membership: str, files: dict[str, str], cores: float) -> None:
    assert groups(tmp_path, membership, files) == cores


def test_half_a_core_is_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnengine.scheduling.threads.cgroup_quota", lambda: 0.5)
    assert available_threads() == 1


def test_affinity_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    monkeypatch.setattr("attnengine.scheduling.threads.cgroup_quota", lambda: 2.5)
    assert choose_threads(None) == 2
    monkeypatch.setattr("attnengine.scheduling.threads.cgroup_quota", lambda: math.inf)
    assert choose_threads(None) == 3
    assert choose_threads(7) == 7


@pytest.mark.parametrize("value", [0, -1, 1025, True, 2.0, "2"])
def test_no_number_of_threads(value: object) -> None:
    with pytest.raises(InvalidArgument, match=f"num_threads is {value!r}, expected None or an int"):
        choose_threads(value)  # type: ignore[arg-type]
