"""Write the tables of docs/decoding.md from the declarations of the options.

python -m tools.option_tables
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from attnengine.decoding.keywords import ALIASES
from attnengine.decoding.options import (
    BeamOptions,
    Option,
    SamplingOptions,
    SearchOptions,
    declared,
)

PAGE = Path(__file__).parents[1] / "docs" / "decoding.md"
TASKS = ("translate", "transcribe", "generate")


def default(option: Option) -> str:
    """The default in Python, or that of each task where they differ."""
    if not option.by_task:
        return spelled(option.default)
    each = (f"`{task}` {spelled(option.by_task.get(task, option.default))}" for task in TASKS)
    return ", ".join(each)


def spelled(value: object) -> str:
    """A value as a user would write it."""
    return f"`{json.dumps(value)}`" if isinstance(value, str) else repr(value)


def row(option: Option) -> str:
    """The row of one option."""
    cells = (f"`{option.name}`", default(option), option.check.values, option.help)
    return f"| {' | '.join(cells)} |"


def tables() -> dict[str, str]:
    """The tables by the name in their marker."""
    common = declared(SearchOptions)
    shared = {option.name for option in common}
    head = "| option | default | values | meaning |\n| --- | --- | --- | --- |\n"
    found = {"every search": head + "\n".join(map(row, common))}
    for name, kind in (("beam search", BeamOptions), ("sampling", SamplingOptions)):
        own = [option for option in declared(kind) if option.name not in shared]
        found[name] = head + "\n".join(map(row, own))
    spellings = "\n".join(f"| `{spelling}` | `{name}` |" for spelling, name in ALIASES.items())
    found["spellings"] = f"| spelling | option |\n| --- | --- |\n{spellings}"
    return found


def written(page: str) -> str:
    """The page with its tables as they are declared."""
    for name, table in tables().items():
        marked = rf"(<!-- options: {name} -->\n).*?(\n<!-- end -->)"
        page, count = re.subn(marked, lambda m, t=table: m[1] + t + m[2], page, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"{PAGE.name} has {count} markers of {name!r}, expected one")
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
