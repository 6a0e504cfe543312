"""The Jinja2 environment that chat templates run in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from attnengine.chat.budget import Budget, TooMuchError, parts

_LARGEST = 1 << 63  # largest absolute value of an integer operand
_WIDEST = 64  # limit of indentation, exponents and date patterns

# Methods and filters that can turn a number into a long text; Jinja2's sandbox allows them.
_FORBIDDEN_METHODS = frozenset(
    [
        *("center", "encode", "expandtabs", "format", "format_map", "ljust", "rjust"),
        *("translate", "zfill"),
    ]
)
_FORBIDDEN_FILTERS = (
    *("attr", "batch", "center", "filesizeformat", "format", "pprint", "round", "slice"),
    *("urlize", "wordwrap", "xmlattr"),
)
_FORBIDDEN_GLOBALS = ("cycler", "joiner", "lipsum")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox with the settings of Hugging Face transformers, and a budget."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self, budget: Budget) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # the optimiser would compute constants before the budget counts them
            extensions=["jinja2.ext.loopcontrols", _Generation],
            finalize=budget.made,
        )
        self.budget, self.tick, self.made = budget, budget.tick, budget.made
        for name in _FORBIDDEN_FILTERS:
            del self.filters[name]
        for name in _FORBIDDEN_GLOBALS:
            del self.globals[name]
        own = {"indent": self._indent, "join": self._join, "replace": self._replace}
        filters = {**self.filters, **own, "tojson": self._to_json}
        self.filters = {name: self._counted(one) for name, one in filters.items()}
        self.globals |= {
            "dict": self._dict,
            "namespace": self._namespace,
            "raise_exception": _raise,
            "strftime_now": _now,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Counting().visit(super()._parse(source, name, filename))
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse string methods that can turn a number into a long text."""
        forbidden = isinstance(obj, str) and attr in _FORBIDDEN_METHODS
        return not forbidden and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``format`` to `is_safe_attribute`, which refuses it."""

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a function that a template may call, and count its result."""
        __self.tick()
        text = getattr(__obj, "__self__", None)
        if isinstance(text, str) and __obj.__name__ == "replace":
            return __self._replace(text, *args)
        if isinstance(text, str) and __obj.__name__ == "join":
            return __self._join(args[0], text)
        return __self.made(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute a binary operation unless it is too large; ``%`` takes numbers only."""
        for one in (left, right):
            if isinstance(one, int) and abs(one) > _LARGEST:
                raise TooMuchError(
                    f"an integer has {one.bit_length()} bits, expected at most 64 for arithmetic"
                )
        if operator == "**" and not (isinstance(right, (int, float)) and right <= _WIDEST):
            raise TooMuchError(f"an exponent is {right!r:.80}, expected at most {_WIDEST}")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("% has a text on its left, expected a number")
        if operator == "*":
            for times, what in ((left, right), (right, left)):
                if isinstance(times, int) and isinstance(what, (str, list, tuple)):
                    self.budget.take(max(times, 0) * (1 + len(what)))
        return self.made(super().call_binop(context, operator, left, right))

    def concat_texts(self, *parts: Any) -> str:
        """Concatenate values as texts: the operator ``~``."""
        return "".join(self.made(str(self.made(part))) for part in parts)

    @staticmethod
    def _dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def held(self, value: Any) -> Any:
        """Check and count a value to be stored in a namespace; it must hold no namespace."""
        if any(isinstance(one, Namespace) for one in parts(value)):
            raise SecurityError("a namespace holds another namespace, expected plain values")
        return self.made(value)

    def _namespace(self, *args: Any, **kwargs: Any) -> Namespace:
        return Namespace(self.held(dict(*args, **kwargs)))

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)  # also copies Jinja2's marks, such as pass_context
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.tick()
            return self.made(function(*args, **kwargs))

        return counted

    def _replace(self, value: Any, old: Any, new: Any, count: int = -1) -> str:
        text, old, new = str(value), str(old), str(new)
        self.budget.take(len(text) + text.count(old) * len(new))
        return text.replace(old, new, count)

    def _join(self, values: Any, separator: str = "", attribute: Any = None) -> str:
        if attribute is not None:
            values = (self.getitem(value, attribute) for value in values)
        texts = [self.made(str(value)) for value in values]
        self.budget.take(len(texts) * len(separator))
        return str(separator).join(texts)

    def _indent(
        self, text: Any, width: str | int = 4, first: bool = False, blank: bool = False
    ) -> str:
        space = width if isinstance(width, str) else " " * min(int(width), _WIDEST)
        lines = str(text).splitlines() or [""]
        self.budget.take(len(lines) * len(space))
        return "\n".join(
            space + line if (line or blank) and (first or i) else line
            for i, line in enumerate(lines)
        )

    def _to_json(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        """Write JSON without HTML escapes; pieces are counted, as deep indentation is long."""
        encoder = json.JSONEncoder(
            ensure_ascii=ensure_ascii,
            indent=None if indent is None else min(indent, _WIDEST),
            separators=separators,
            sort_keys=sort_keys,
        )
        return "".join(map(self.made, encoder.iterencode(value)))


class _Counting(NodeTransformer):
    """Inserts calls to the budget into the syntax tree of a template."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        size = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        tick = _call("tick", nodes.Const(size), lineno=node.lineno)
        node.body.insert(0, nodes.ExprStmt(tick, lineno=node.lineno))
        return node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.target, nodes.NSRef) or node.target.find(nodes.NSRef):
            node.node = _call("held", node.node, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("concat_texts", *node.nodes, lineno=node.lineno)

    def visit_NSRef(self, node: nodes.NSRef) -> nodes.Node:  # noqa: N802
        if node.attr.startswith("_"):
            raise SecurityError(
                f"a namespace's attribute is {node.attr!r}, expected a name without leading '_'"
            )
        return node

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        super().generic_visit(node, *args, **kwargs)
        literal = isinstance(node, (nodes.List, nodes.Dict, nodes.Tuple))
        if literal and getattr(node, "ctx", "load") == "load":  # not the targets of an assignment
            return _call("made", node, lineno=node.lineno)
        return node


def _call(name: str, *args: nodes.Node, lineno: int) -> nodes.Call:
    function = nodes.EnvironmentAttribute(name, lineno=lineno)
    return nodes.Call(function, [*args], [], None, None, lineno=lineno)


class _Generation(Extension):
    """The block ``{% generation %}``, which marks text for training; it renders as its body."""

    tags = {"generation"}  # noqa: RUF012 - the base class declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Read up to the end of the block."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _now(pattern: str) -> str:
    return datetime.now().strftime(str(pattern)[:_WIDEST])


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)
