"""A pickle machine that builds plain data and nothing else.

Python's own unpicklers are not used, not even with `find_class` overridden. The one in C
sizes its memo by the largest index: a few bytes ask for 64 GB. Both call any object on the
stack and let BUILD set attributes of classes and functions. Both compute hashes of nested
tuples, deep enough to overflow the stack. Here `pickletools.genops` splits the bytes, and each
opcode changes lists and dictionaries only. A global is a name, which REDUCE looks up in a table.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from attnengine.errors import FormatError

# Each opcode takes at most 100 bytes of memory, and each call 1000. The checkpoint of a model
# with 50,000 words on each side has a million opcodes, and a call for each weight.
_MAX_OPCODES = 5_000_000
_MAX_CALLS = 100_000


@dataclass(frozen=True)
class Global:
    """The name of a global in a pickle; it is never imported."""

    name: str


@dataclass(eq=False, repr=False)
class Inert:
    """A stand-in for an object: the name of its class, its arguments and its state."""

    kind: str
    arguments: tuple[object, ...]
    state: Any = field(default=None)

    def __repr__(self) -> str:
        return f"<{self.kind}>"

    def attributes(self) -> dict[Any, Any]:
        """The attributes, if the state is a dictionary; else none."""
        return self.state if isinstance(self.state, dict) else {}


Builder = Callable[[tuple[Any, ...]], object]
Persistent = Callable[[object], object]


def load(
    file: IO[bytes], path: Path, builders: Mapping[str, Builder | None], persistent: Persistent
) -> Any:
    """Return the object of the pickle that starts at the position of `file`.

    builders: allowed global -> function of a call's arguments, or None if it may not be called.
    persistent: makes the object of a persistent id.

    Raises `FormatError` for any other global and for opcodes beyond plain data. Damage may also
    raise the errors that `files.damage.damage_named` catches.
    """
    with warnings.catch_warnings():
        # pickletools warns of unknown escapes in a text.
        warnings.simplefilter("ignore", DeprecationWarning)
        return _Machine(path, builders, persistent).run(file)


class _Machine:
    def __init__(
        self, path: Path, builders: Mapping[str, Builder | None], persistent: Persistent
    ) -> None:
        self.path = path
        self.builders = builders
        self.persistent = persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.calls = 0

    def run(self, file: IO[bytes]) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if count >= _MAX_OPCODES:
                raise FormatError(f"{self.path}: a pickle of more than {_MAX_OPCODES} opcodes")
            if opcode.name in _LITERALS:
                self.stack.append(argument)
            elif opcode.name in _ACTIONS:
                _ACTIONS[opcode.name](self, argument)
            else:
                raise FormatError(f"{self.path}: the pickle uses {opcode.name}, which is refused")
        return self.stack.pop()

    def pop(self) -> Any:
        # An opcode above a mark may not take operands below it.
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise FormatError(f"{self.path}: the pickle takes from an empty stack")
        return self.stack.pop()

    def pop_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def last(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise FormatError(f"{self.path}: the pickle adds to what is no {kind.__name__}")
        return self.stack[-1]

    def name(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise FormatError(f"{self.path}: the pickle asks for a global that has no name")
        full = f"{module}.{name}"
        if full not in self.builders:
            raise FormatError(
                f"{self.path}: the pickle asks for {full!r:.200}, which is refused: only tensors "
                "and plain containers are read"
            )
        self.stack.append(Global(full))

    def call(self, _: object = None) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise FormatError(f"{self.path}: the pickle calls what is no function")
        builder = self.builders[function.name]
        self.calls += 1
        if builder is None or self.calls > _MAX_CALLS:
            raise FormatError(f"{self.path}: the pickle calls {function.name}, which is refused")
        self.stack.append(builder(arguments))

    def build(self, _: object) -> None:
        state = self.pop()
        target = self.last(object)
        if isinstance(target, Inert):
            target.state = state
        elif not isinstance(target, dict):  # attributes of dictionaries are ignored
            raise FormatError(f"{self.path}: the pickle sets the state of what has none")

    def set_items(self, items: list[Any]) -> None:
        target = self.last(dict)
        # Only keys of plain types, so that a hash can neither recurse nor run code.
        keys = items[::2]
        if len(items) % 2 or not all(isinstance(key, _KEYS) for key in keys):
            raise FormatError(f"{self.path}: the pickle has a dictionary with an unusable key")
        target.update(zip(keys, items[1::2], strict=True))

    def make_dict(self, _: object) -> None:
        items = self.pop_mark()
        self.stack.append({})
        self.set_items(items)

    def append(self, items: list[Any]) -> None:
        self.last(list).extend(items)

    def make_tuple(self, size: int) -> None:
        items = [self.pop() for _ in range(size)]
        self.stack.append(tuple(reversed(items)))

    def text(self, argument: str) -> None:
        # Strings of Python 2 are bytes; pickletools decodes them as Latin-1.
        self.stack.append(argument.encode("latin-1").decode("utf-8"))

    def put(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]


_KEYS = (str, bytes, int, float, type(None), Inert)

_LITERALS = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("BINBYTES", "BINBYTES8", "SHORT_BINBYTES"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
)

_ACTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "STOP": lambda machine, _: None,
    "NONE": lambda machine, _: machine.stack.append(None),
    "NEWTRUE": lambda machine, _: machine.stack.append(True),
    "NEWFALSE": lambda machine, _: machine.stack.append(False),
    "STRING": _Machine.text,
    "BINSTRING": _Machine.text,
    "SHORT_BINSTRING": _Machine.text,
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "LIST": lambda machine, _: machine.stack.append(machine.pop_mark()),
    "DICT": _Machine.make_dict,
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.pop_mark())),
    "TUPLE1": lambda machine, _: machine.make_tuple(1),
    "TUPLE2": lambda machine, _: machine.make_tuple(2),
    "TUPLE3": lambda machine, _: machine.make_tuple(3),
    "APPEND": lambda machine, _: machine.append([machine.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.pop_mark()),
    "SETITEM": lambda machine, _: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_mark()),
    "POP": lambda machine, _: machine.pop(),
    "POP_MARK": lambda machine, _: machine.pop_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "GET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "GLOBAL": lambda machine, argument: machine.name(*argument.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.name(*[machine.pop(), machine.pop()][::-1]),
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": lambda machine, _: machine.stack.append(machine.persistent(machine.pop())),
}
