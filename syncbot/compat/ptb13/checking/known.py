"""What telegram's names mean in this process: asked of the modules themselves, once they are those of syncbot."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import sys
import textwrap
from types import ModuleType
from typing import Any

from syncbot.compat.ptb13.bot.renamed import order_of


@functools.cache
def telegram_module(name: str) -> ModuleType | None:
    """telegram, or a module in it; None where there is none. No module of the program is imported."""
    assert name.partition(".")[0] == "telegram"
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def found_in(module: str, name: str) -> Any:
    """What a module of telegram has by a name: also a module in it; None where it has neither."""
    found = getattr(telegram_module(module), name, None)
    return telegram_module(f"{module}.{name}") if found is None else found


@functools.cache
def attributes(kind: type) -> frozenset[str]:
    """The names that an object of a class has: those of its classes, and what their methods set in it."""
    names = set(dir(kind))
    for each in kind.__mro__:
        if each.__module__.startswith(("syncbot.", "telegram.")):
            try:
                tree = ast.parse(textwrap.dedent(inspect.getsource(each)))
            except (OSError, TypeError, SyntaxError):
                continue
            names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"}
    return frozenset(names)


def wrong_call(function: Any, name: str, node: ast.Call) -> str | None:
    """Why a call cannot be made as it is written; None where it can, or where that cannot be told.

    Args:
        function: what is called; a bound method where it is one.
        name: what it is known by among the names of 13: "Message", "Bot.send_message".
        node: the call.
    """
    if any(isinstance(value, ast.Starred) for value in node.args) or any(keyword.arg is None for keyword in node.keywords):
        return None
    given = [str(keyword.arg) for keyword in node.keywords]
    try:
        signature = inspect.signature(function)
        if not (order := order_of(name)):
            signature.bind(*node.args, **dict.fromkeys(given))
            return None
    except (ValueError, TypeError) as problem:
        return str(problem) if isinstance(problem, TypeError) and "argument" in str(problem) else None
    if unknown := [each for each in given if each not in order and each not in signature.parameters and each != "quote"]:
        return f"nobody takes {', '.join(unknown)}"
    return f"it takes {len(order)} values at most" if len(node.args) > len(order) else None


def is_installed(name: str) -> bool:
    """Whether this Python finds a module of this name, which is not imported for that."""
    if name in sys.builtin_module_names or name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
