"""Measures whole models in attnengine and other engines; README.md has the options and rules."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.engines import ENGINES
from benchmarks.peers.harness import Plan, group_results
from benchmarks.peers.machine import Turns
from benchmarks.peers.report import markdown
from benchmarks.peers.workloads import WORKLOADS


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def known(choices: Any) -> Any:
    """A parser of names separated by commas; each must be one of the choices."""

    def parse(text: str) -> list[str]:
        for name in names(text):
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name!r}, expected {', '.join(choices)}")
        return names(text)

    return parse


def parser() -> argparse.ArgumentParser:
    temporary = Path(tempfile.gettempdir())
    cache = os.environ.get("BENCH_CACHE", temporary / "attnengine-bench")
    found = argparse.ArgumentParser("python -m benchmarks.peers", description=__doc__)
    add = found.add_argument
    add("--workloads", type=known(WORKLOADS), default=list(WORKLOADS))
    add("--engines", type=known(ENGINES), default=list(ENGINES))
    add("--variants", type=names, default=[], help="only variants that begin with one of these")
    add("--models", type=names, default=[], help="only models with one of these in their name")
    add("--cases", type=names, default=[], help="only cases with one of these in their name")
    add("--threads", type=int, default=2)
    add("--repeats", type=int, default=5)
    add("--retries", type=int, default=3, help="largest number of repeats that replace noisy ones")
    add("--budget", type=float, default=40.0, help="seconds of repeats per case and engine")
    add("--idle-wait", type=float, default=20.0, help="seconds to wait for an idle machine")
    add("--hold", type=float, default=25.0, help="longest time to hold the lock, in seconds")
    add("--lock", type=Path, default=temporary / "attnengine-bench.lock")
    add("--cache", type=Path, default=Path(cache), help="folder in which models are written")
    add("--json", type=Path, help="file of results; default: a file in the cache")
    add("--render", type=Path, nargs="+", help="measure nothing; show the tables of these results")
    return found


def render(paths: list[Path]) -> str:
    """The tables of several runs, merged."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return markdown([result for run in runs for result in run])


def measure(options: argparse.Namespace) -> list[Any]:
    """Run the plan, and write the results so far after each model."""
    cache: Path = options.cache
    (cache / "results").mkdir(parents=True, exist_ok=True)
    path = options.json or cache / "results" / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    turns = Turns(options.lock, options.hold, options.idle_wait)
    shared = ("engines", "variants", "cases", "models", "threads", "repeats", "retries", "budget")
    plan = Plan(**{name: getattr(options, name) for name in shared}, cache=str(cache))
    results: list[Any] = []
    with (cache / "workers.log").open("a", encoding="utf-8") as log:
        for name in options.workloads:
            workload = WORKLOADS[name]()
            for group in workload.groups:
                if plan.wants(plan.models, group.model.name):
                    results.append(group_results(workload, group, plan, turns, log))
                    path.write_text(json.dumps(results), encoding="utf-8")
    print(f"JSON: {path}", file=sys.stderr)
    return results


def main() -> None:
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers end too
    print(render(options.render) if options.render else markdown(measure(options)))


if __name__ == "__main__":
    main()
