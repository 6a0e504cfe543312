"""Reads YAML as strings, lists and dictionaries, without guessing types or merging tables."""

from __future__ import annotations

from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files.damage import short

_MAX_DEPTH = 50


def parse(text: str, where: str, *, unique: bool = True) -> Any:
    """Return the value of a YAML document; scalars stay text in the document's spelling.

    unique: refuse duplicate keys; otherwise the last one counts.

    Raises
    ------
    FormatError
        The text is no YAML, or has a key that is no text or asks to merge another table.
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
    """Builds the value from the parser's events, without recursion.

    An alias shares its value, because copies would let a few bytes fill any memory.
    """

    def __init__(self, unique: bool) -> None:
        self.unique = unique
        self.open: list[Any] = []  # dictionaries and lists, outermost first
        self.keys: list[str | None] = []  # key without a value of each open dictionary
        self.roots: list[Any] = []
        self.anchors: dict[str, Any] = {}

    def take(self, event: Any, kind: str) -> None:
        anchor: str | None = getattr(event, "anchor", None)
        if kind == "AliasEvent":
            if anchor not in self.anchors:
                raise ValueError(f"there is no anchor {str(anchor)[:80]!r}")
            self.add(self.anchors[anchor])
            return
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.open.pop()
            self.keys.pop()
        if kind not in ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent"):
            return
        value: Any = {} if kind == "MappingStartEvent" else []
        if kind == "ScalarEvent":
            value = event.value
        self.add(value)
        if anchor is not None:
            self.anchors[anchor] = value
        if kind != "ScalarEvent":
            self.begin(value)

    def begin(self, value: Any) -> None:
        self.open.append(value)
        self.keys.append(None)
        if len(self.open) > _MAX_DEPTH:
            raise ValueError(f"it is nested more than {_MAX_DEPTH} deep")

    def add(self, value: Any) -> None:
        if not self.open:
            self.roots.append(value)
        elif isinstance(self.open[-1], list):
            self.open[-1].append(value)
        elif self.keys[-1] is not None:
            self.open[-1][self.keys[-1]] = value
            self.keys[-1] = None
        elif not isinstance(value, str) or (self.unique and value in self.open[-1]):
            raise ValueError(f"the key {short(value)} is no text or stands twice")
        elif self.unique and value == "<<":
            raise ValueError("it merges one table into another")
        else:
            self.keys[-1] = value

    def value(self) -> Any:
        if len(self.roots) != 1:
            raise ValueError(f"it has {len(self.roots)} documents, expected one")
        return self.roots[0]
