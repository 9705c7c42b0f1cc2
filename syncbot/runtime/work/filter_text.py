"""Filters as text, so that a question that is kept in the state file knows which answers it wants."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType

from syncbot.runtime.handling import filters
from syncbot.runtime.handling.filters import Filter, FilterLike, as_filter

_MAKERS: Mapping[str, Callable[..., Filter]] = MappingProxyType(
    {make.__name__: make for make in (filters.has, filters.regex, filters.text, filters.entity, filters.mime, filters.extension)}
)
_NAMED: Mapping[str, Filter] = MappingProxyType({repr(known): known for known in (filters.ALL, filters.REPLY)})


def filter_text(wanted: FilterLike) -> str:
    """A filter as text.

    Raises:
        TypeError: it cannot be kept: it is, or holds, a function or another library's filter.
    """
    text = repr(as_filter(wanted))
    try:
        if repr(filter_of(text)) == text:
            return text
    except ValueError:
        pass
    raise TypeError(
        f"the answer to a question cannot be told by the filter {text}, since it has to be kept while the process is away: use filters such as filters.PHOTO,"
        " filters.has(…) or filters.regex(…) without flags, and check=function for what only a function can tell"
    )


def filter_of(text: str) -> Filter:
    """The filter that a text stands for.

    Raises:
        ValueError: it stands for none.
    """
    try:
        return _built(ast.parse(text, mode="eval").body)
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError) as problem:
        raise ValueError(f"{text!r:.80} is no filter: {problem}") from None


def _built(node: ast.expr) -> Filter:
    match node:
        case ast.BinOp(left, ast.BitAnd(), right):
            return _built(left) & _built(right)
        case ast.BinOp(left, ast.BitOr(), right):
            return _built(left) | _built(right)
        case ast.UnaryOp(ast.Invert(), inner):
            return ~_built(inner)
        case ast.Call(ast.Name(name), values, []) if name in _MAKERS:
            return _MAKERS[name](*map(ast.literal_eval, values))
        case ast.Name(name) if name in _NAMED:
            return _NAMED[name]
    raise ValueError(f"{ast.unparse(node)!r:.80} is no filter that can be kept")
