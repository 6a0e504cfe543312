"""The stubs and the compiled module say the same: names, members, arguments, defaults, types."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np

from attnengine import _core, errors

PACKAGE = Path(errors.__file__).parent
STUBS = [PACKAGE / "_core.pyi", *(PACKAGE / "_core_stubs").glob("*.pyi")]
BODY = [node for stub in STUBS for node in ast.parse(stub.read_text(encoding="utf-8")).body]

# Each function has overloads, each overload arguments and a result, {"a": "int = 1", "return":
# "str"}; "*" lists the keyword-only ones.
Overload = dict[str, str]
Members = dict[str, list[Overload]]

# What pybind11 says of an argument -> what a stub says.
ARGUMENTS = {
    " | SupportsIndex": "",
    "SupportsInt": "int",
    "SupportsFloat": "float",
    "Callable": "Callable[[int, int], ArrayLike]",
    "Annotated[ArrayLike, uint8]": "NDArray[uint8]",
    "Annotated[ArrayLike, float32]": "ArrayLike",
    "list[int]": "Sequence[int] | NDArray[integer]",
}
ARRAYS = {"NDArray[float32]", "NDArray[uint8]"}  # what "ndarray" alone stands for
ALIASES = {"Floats": "NDArray[float32]", "Ints": "NDArray[int32]"}


def plain(annotation: str) -> str:
    """Drop the names of modules, and spell aliases out."""
    annotation = re.sub(r"\b[a-z_]\w*(?:\.[a-z_]\w*)*\.(?=\w)", "", annotation)
    return re.sub(r"\w+", lambda found: ALIASES.get(found[0], found[0]), annotation)


def signature(node: ast.FunctionDef) -> Overload:
    defaults = dict(
        zip(reversed(node.args.args), reversed(node.args.defaults), strict=False)
    ) | dict(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
    found = {"*": " ".join(a.arg for a in node.args.kwonlyargs)}
    for argument in node.args.args + node.args.kwonlyargs:
        if argument.arg in ("self", "arg0"):
            continue
        assert argument.annotation is not None, (node.name, argument.arg)
        default = defaults.get(argument)
        found[argument.arg] = plain(ast.unparse(argument.annotation)) + (
            "" if default is None else f" = {written(default)}"
        )
    if node.args.kwarg:
        found["**"] = node.args.kwarg.arg
    assert node.returns is not None, node.name
    return found | {"return": plain(ast.unparse(node.returns))}


def written(default: ast.expr) -> str:
    """A default; C++ holds floats in 32 bits."""
    if isinstance(default, ast.Constant) and isinstance(default.value, float):
        return str(np.float32(default.value))
    return ast.unparse(default)


def stub_members(body: list[ast.stmt]) -> Members:
    members: Members = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            members.setdefault(node.name, []).append(signature(node))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kind = plain(ast.unparse(node.annotation))
            members[node.target.id] = [{"*": "", "return": kind}]
    return members


def compiled_overloads(name: str, function: Any) -> list[Overload]:
    """Every overload, as pybind11 writes it into the docstring."""
    if isinstance(function, property):
        found = re.findall(r"^\(.*\) -> .*$", function.fget.__doc__, re.MULTILINE)
        name = ""
    else:
        found = re.findall(rf"^(?:\d+\. )?({name}\(.*\) -> .*)$", function.__doc__, re.MULTILINE)
    nodes = [ast.parse(f"def _{s[len(name) :]}: ...").body[0] for s in found if "*args" not in s]
    return [signature(node) for node in nodes if isinstance(node, ast.FunctionDef)]


def compiled_members(thing: Any) -> Members:
    own = {"__init__", "__len__", "__call__"}
    members = vars(thing).items()
    return {
        name: compiled_overloads(name, value)
        for name, value in members
        if (not name.startswith("_") or name in own) and not inspect.isclass(value)
    }


def same_type(compiled: str, stub: str, *, argument: bool) -> bool:
    compiled, *compiled_default = compiled.split(" = ")
    stub, *stub_default = stub.split(" = ")
    if stub_default != ["..."] and compiled_default != stub_default:
        return False
    if argument:
        for name, said in ARGUMENTS.items():
            compiled = compiled.replace(name, said)
    if compiled in ("list", "tuple"):
        return stub.startswith(f"{compiled}[")
    if compiled == "object":  # C++ looks into it, or makes it, in several ways
        return True
    if compiled == "ndarray":
        return stub in ARRAYS
    # an argument that is a pointer may be None where the stub says so
    return stub == compiled or (argument and stub == f"{compiled} | None")


def check(name: str, compiled: Members, stub: Members) -> None:
    assert compiled.keys() == stub.keys(), name
    for member, overloads in compiled.items():
        assert len(overloads) == len(stub[member]), (name, member)
        for ours, theirs in zip(overloads, stub[member], strict=True):
            assert list(ours) == list(theirs), (name, member)
            wrong = {
                argument: (ours[argument], theirs[argument])
                for argument in ours
                if not same_type(ours[argument], theirs[argument], argument=argument != "return")
            }
            assert wrong == {}, (name, member)


def test_functions() -> None:
    compiled = {k: v for k, v in compiled_members(_core).items() if callable(getattr(_core, k))}
    check("_core", compiled, stub_members(BODY))


def test_classes_with_their_members() -> None:
    stub = {node.name: node for node in BODY if isinstance(node, ast.ClassDef)}
    compiled = {name: c for name, c in vars(_core).items() if inspect.isclass(c)}
    assert stub.keys() == compiled.keys()
    for name, node in stub.items():
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        assert bases in ([], [compiled[name].__mro__[1].__name__])
        members = compiled_members(compiled[name])
        if members.get("__init__") == []:  # made by others only
            del members["__init__"]
        check(name, members, stub_members(node.body))
