"""The ways in which a file can be changed so that a test ought to notice."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

_OTHERS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}
_EXTREMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SAYS_ONLY = ("_log", "log", "logging", "warnings")
"""Calls of these tell people something; their words are not what a sample is to be spent on."""
_LOCKS = re.compile(r"lock|guard|changed|condition", re.IGNORECASE)


@dataclass(frozen=True)
class Mutant:
    """A change of a file.

    Args:
        file: its path in the checkout.
        number: which of the file's changes it is.
        lines: the lines of what is changed.
        change: the change in words.
    """

    file: str
    number: int
    lines: range
    change: str

    def __str__(self) -> str:
        return f"{self.file}:{self.lines.start}  {self.change}"

    def applied(self, source: str) -> str:
        """The file as it is after the change."""
        tree = ast.parse(source)
        next(islice(_changes(tree), self.number, None))[2]()
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of a file."""
    return [Mutant(file, number, _lines(node), change.format(_words(node))) for number, (node, change, _) in enumerate(_changes(ast.parse(source)))]


def _lines(node: ast.expr | ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


_Change = tuple[ast.expr | ast.stmt, str, Callable[[], object]]


def _changes(tree: ast.Module) -> Iterator[_Change]:
    """What was found to be changed: the node, the change in words ({} is the node), and what makes it."""
    for node in _code(tree):
        if isinstance(node, ast.expr):
            yield from _of_expression(node)
        elif isinstance(node, ast.stmt):
            yield from _of_statement(node)
        for name in ("body", "orelse", "finalbody", "handlers"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield from _left_out(block, begins=isinstance(node, ast.FunctionDef) and node.name == "__init__")


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """What runs: no annotation, no decorator, no default that is only declared, nothing for type checkers, no text of an error or a log."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases", "keywords") and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_words(child):
                yield from _code(child)


def _is_words(node: ast.AST) -> bool:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, (ast.JoinedStr, ast.Raise, ast.Assert)) or (isinstance(node, ast.Expr) and _only_says(node))


def _only_says(node: ast.Expr) -> bool:
    called = node.value.func if isinstance(node.value, ast.Call) else None
    while isinstance(called, ast.Attribute):
        if isinstance(called.value, ast.Name) and called.value.id in _SAYS_ONLY:
            return True
        if called.value and isinstance(called.value, ast.Attribute) and called.value.attr in _SAYS_ONLY:
            return True
        called = called.value
    return False


def _of_expression(node: ast.expr) -> Iterator[_Change]:
    if isinstance(node, ast.Compare) and (other := _OTHERS.get(type(node.ops[0]))) is not None:
        yield node, f"{{}}  →  {_SIGNS[other]}", partial(node.ops.__setitem__, 0, other())
    elif isinstance(node, ast.BoolOp):
        kind, sign = (ast.Or, "or") if isinstance(node.op, ast.And) else (ast.And, "and")
        yield node, f"{{}}  →  {sign}", partial(setattr, node, "op", kind())
    elif isinstance(node, ast.BinOp) and (operator := _OPERATORS.get(type(node.op))) is not None and not _is_text(node):
        yield node, f"{{}}  →  {operator.__name__}", partial(setattr, node, "op", operator())
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (name := _EXTREMES.get(node.func.id)) is not None:
        yield node, f"{{}}  →  {name}", partial(setattr, node.func, "id", name)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, "{}  →  not so", partial(setattr, node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield node, f"{{}}  →  {node.value + 1}", partial(setattr, node, "value", node.value + 1)


def _of_statement(node: ast.stmt) -> Iterator[_Change]:
    if isinstance(node, (ast.If, ast.While)) and not isinstance(node.test, (ast.Constant, ast.Compare, ast.BoolOp)):
        yield node.test, "if {}  →  if not", partial(setattr, node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield node, "{}  →  return None", partial(setattr, node, "value", ast.Constant(None))
    elif isinstance(node, ast.With):
        for item in node.items:
            if _LOCKS.search(ast.unparse(item.context_expr)):
                nothing = ast.parse("__import__('contextlib').nullcontext()", mode="eval").body
                yield item.context_expr, "with {}  →  without it", partial(setattr, item, "context_expr", nothing)


def _left_out(block: list[ast.stmt], *, begins: bool) -> Iterator[_Change]:
    """Statements that are left out, one at a time: calls, jumps, and assignments to attributes where they do not begin an object."""
    for position, node in enumerate(block):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AugAssign) else None
        is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not _only_says(node)
        is_jump = isinstance(node, (ast.Break, ast.Continue)) or (isinstance(node, ast.Raise) and node.exc is None)
        if is_call or is_jump or (isinstance(target, (ast.Attribute, ast.Subscript)) and not begins):
            yield node, "{}  →  left out", partial(block.__setitem__, position, ast.Pass())


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(side, (ast.JoinedStr, ast.List)) or (isinstance(side, ast.Constant) and not isinstance(side.value, (int, float))) for side in sides)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _words(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split()).replace("{", "{{").replace("}", "}}")
    return text if len(text) < 90 else text[:89] + "…"


_SIGNS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
