"""The stub has the names, members and arguments of the compiled module."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

from attnengine import _core, errors

STUB = ast.parse((Path(errors.__file__).parent / "_core.pyi").read_text(encoding="utf-8"))
Functions = dict[str, set[tuple[str, ...]]]  # argument names of each overload


def stub_members(body: list[ast.stmt]) -> Functions:
    members: Functions = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            arguments = node.args.args + node.args.kwonlyargs
            names = tuple(a.arg for a in arguments if a.arg != "self")
            is_property = any(getattr(d, "id", "") == "property" for d in node.decorator_list)
            members.setdefault(node.name, set()).add(() if is_property else names)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            members[node.target.id] = {()}
    return members


def compiled_arguments(name: str, function: Any) -> set[tuple[str, ...]]:
    """Argument names of every overload, read from pybind11's docstring."""
    if isinstance(function, property):
        return {()}
    signatures = re.findall(rf"^(?:\d+\. )?{name}\((.*)\) -> ", function.__doc__, re.MULTILINE)
    names = [re.findall(r"(?:^|, )(\w+)(?=: | = |,|$)", s) for s in signatures if "*args" not in s]
    return {tuple(n for n in found if n != "self") for found in names}


def compiled_members(thing: Any) -> Functions:
    own = {"__init__", "__len__", "__call__"}
    members = vars(thing).items()
    return {
        name: compiled_arguments(name, value)
        for name, value in members
        if (not name.startswith("_") or name in own) and not inspect.isclass(value)
    }


def test_functions_and_their_arguments() -> None:
    compiled = {k: v for k, v in compiled_members(_core).items() if callable(getattr(_core, k))}
    assert stub_members(STUB.body).items() >= compiled.items()


def test_classes_with_their_members() -> None:
    stub = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
    compiled = {name: c for name, c in vars(_core).items() if inspect.isclass(c)}
    assert stub.keys() == compiled.keys()
    for name, node in stub.items():
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        assert bases in ([], [compiled[name].__mro__[1].__name__])
        members = compiled_members(compiled[name])
        if members.get("__init__") == set():  # no public constructor
            del members["__init__"]
        assert stub_members(node.body) == members, name
