"""Results as Markdown: a table for each model, and a comparison with the best peers."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.bounds import precision_of

Row = dict[str, Any]
MISSING: Row = {"unsupported": ""}
OURS = "attnengine"
CLASSES = {  # class -> precisions that are compared with each other
    "float32": ("float32", "f32"),
    "bfloat16": ("bfloat16", "bf16"),
    "int8": ("int8", "q8_0"),
    "int4": ("int4", "q4_0"),
}


def class_of(label: str) -> str:
    """The class of the precision in a label "engine variant"."""
    precision = precision_of(label.split(" ", 1)[1])
    return next(name for name, members in CLASSES.items() if precision in members)


def value(case: Row, seconds: float) -> float:
    """Units per second, or microseconds per call."""
    if case["unit"] == "us/call":
        return 1e6 * seconds / float(case["units"])
    return float(case["units"]) / seconds


def number(x: float) -> str:
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}"


def figure(case: Row, row: Row) -> str:
    """Median and spread; * marks noisy medians."""
    if "unsupported" in row:
        return "n/a"
    if "error" in row or "spread" not in row:
        return "failed"
    noisy = "\\*" if row["noisy"] else ""
    spread = "?" if row["spread"] is None else f"{100 * row['spread']:.0f} %"
    return f"{number(value(case, row['seconds']))} ±{spread}{noisy}"


def cell(case: Row, row: Row) -> str:
    """The figure and its percentage of the bound."""
    shown = figure(case, row)
    return f"{shown} ({share(row):.0f} %)" if "±" in shown else shown


def share(row: Row) -> float:
    """Percentage of the machine's limit that a row reaches."""
    return 100 * float(row["bound"]["seconds"]) / float(row["seconds"])


def limits_line(limits: Row, threads: int) -> str:
    """A sentence with the machine's limits when the model was measured."""
    peaks = ", ".join(f"{kind} {rate / 1e9:.0f}" for kind, rate in limits["peaks"].items())
    return (
        f"Measured with {threads} threads: {limits['bandwidth'] / 1e9:.1f} GB/s read from memory;"
        f" billions of operations a second: {peaks}."
    )


def table(result: Row) -> list[str]:
    """A row for every engine and variant; operators are rows, because there are many."""
    cases: dict[str, Row] = result["cases"]
    lines = ["", f"### {result['title']}: {result['model']}", ""]
    lines += [limits_line(result["limits"], result["threads"]), ""]
    if result["workload"] == "w7":
        return lines + operators(cases, list(result["engines"]))
    heads = [f"{name}, {case['unit']}" for name, case in cases.items()]
    heads = ["engine", *heads, "peak memory, MB", "before load", "load, s"]
    lines += [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for label, engine in result["engines"].items():
        if "error" in engine:
            lines.append(f"| {label} | {engine['error'][:80]} |")
            continue
        shown = [cell(case, case["rows"].get(label, MISSING)) for case in cases.values()]
        shown += [number(engine["memory"]), number(engine["memory_before"])]
        lines.append(f"| {label} | {' | '.join(shown)} | {engine['seconds']:.2f} |")
    return lines


def operators(cases: dict[str, Row], labels: list[str]) -> list[str]:
    """A row for every operator; the last columns have the best peer's time over ours."""
    kinds = list(dict.fromkeys(class_of(label) for label in labels if not label.startswith(OURS)))
    heads = ["µs", *labels, *(f"ratio, {kind}" for kind in kinds)]
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for name, case in cases.items():
        shown = [figure(case, case["rows"].get(label, MISSING)) for label in labels]
        shown += [ratio(case["rows"], kind) for kind in kinds]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return lines


def ratio(rows: dict[str, Row], kind: str) -> str:
    """The best peer's time over ours; empty if one of them is missing."""
    peer, mine = (best(rows, kind, ours) for ours in (False, True))
    if peer is None or mine is None:
        return ""
    return f"{peer[1]['seconds'] / mine[1]['seconds']:.2f}"


def best(rows: dict[str, Row], kind: str, ours: bool) -> tuple[str, Row] | None:
    """The fastest row of a class among ours or among the peers."""
    found = [
        (label, row)
        for label, row in rows.items()
        if label.startswith(OURS + " ") == ours and class_of(label) == kind and "spread" in row
    ]
    return min(found, key=lambda one: float(one[1]["seconds"])) if found else None


def comparison(results: list[Row]) -> list[str]:
    """A table with ours and the best peer of the same precision in every case."""
    lines = ["### Best peer", "", "| case | precision | best peer | its figure | attnengine |"]
    lines[-1] += " ratio | bound | of the bound |"
    lines.append("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for result in results:
        for name, case in result["cases"].items():
            for kind in CLASSES:
                peer, mine = (best(case["rows"], kind, ours) for ours in (False, True))
                if peer is None or mine is None:
                    continue
                seconds, limit = mine[1]["seconds"], mine[1]["bound"]
                shown = [number(value(case, s)) for s in (peer[1]["seconds"], seconds)]
                edge = f"{number(value(case, limit['seconds']))} {limit['by']}"
                edge += f" | {share(mine[1]):.0f} %"
                lines.append(
                    f"| {result['model']} {name}, {case['unit']} | {kind} | {peer[0]} | {shown[0]}"
                    f" | {shown[1]} | {ratio(case['rows'], kind)} | {edge} |"
                )
    return lines


def markdown(results: list[Row]) -> str:
    """The comparison with the best peers, then all tables."""
    about = "Medians ± half the range; \\* others ran meanwhile; in brackets, of the bound."
    lines = [*comparison(results), "", about]
    for result in results:
        lines += table(result)
    return "\n".join(lines) + "\n"
