"""YAML as strings, lists and dictionaries: no types are guessed, no anchors followed."""

from __future__ import annotations

from typing import Any

from attnengine.errors import FormatError, Unsupported

_MAX_DEPTH = 50


def parse(text: str, where: str, *, unique: bool = True) -> Any:
    """Return the value of a YAML document whose scalars stay text as it is written.

    unique: refuse a key that stands twice; otherwise the last one counts.

    Raises
    ------
    FormatError
        The text is no YAML, or has an anchor, an alias or a key that is no text.
    Unsupported
        The extra ``yaml`` is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise Unsupported(
            f"{where} needs PyYAML, which is not installed: pip install 'attnengine[yaml]'"
        ) from error
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        builder = _Builder(unique)
        for event in yaml.parse(text, Loader=loader):
            builder.take(event, type(event).__name__)
        return builder.value()
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FormatError(f"{where} is not the YAML that attnengine reads ({reason})") from error


class _Builder:
    """Builds the value from the parser's events, without recursion."""

    def __init__(self, unique: bool) -> None:
        self.unique = unique
        self.open: list[Any] = []  # dictionaries and lists, outermost first
        self.keys: list[str | None] = []  # of each open dictionary, the key without a value
        self.roots: list[Any] = []

    def take(self, event: Any, kind: str) -> None:
        if kind == "AliasEvent" or getattr(event, "anchor", None) is not None:
            raise ValueError("it has an anchor or an alias")
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            value: Any = {} if kind == "MappingStartEvent" else []
            self.add(value)
            self.open.append(value)
            self.keys.append(None)
            if len(self.open) > _MAX_DEPTH:
                raise ValueError(f"it is nested more than {_MAX_DEPTH} deep")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.open.pop()
            self.keys.pop()
        elif kind == "ScalarEvent":
            self.add(event.value)

    def add(self, value: Any) -> None:
        if not self.open:
            self.roots.append(value)
        elif isinstance(self.open[-1], list):
            self.open[-1].append(value)
        elif self.keys[-1] is not None:
            self.open[-1][self.keys[-1]] = value
            self.keys[-1] = None
        elif not isinstance(value, str) or (self.unique and value in self.open[-1]):
            raise ValueError(f"the key {str(value)[:80]!r} is no text or stands twice")
        else:
            self.keys[-1] = value

    def value(self) -> Any:
        if len(self.roots) != 1:
            raise ValueError(f"it has {len(self.roots)} documents, expected one")
        return self.roots[0]
