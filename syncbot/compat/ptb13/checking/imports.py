"""What a program imports, and whether it is there."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from syncbot.compat.ptb13.checking.files import own_module
from syncbot.compat.ptb13.checking.finding import Finding
from syncbot.compat.ptb13.checking.known import found_in, is_installed, telegram_module

_SINCE_20 = {"Application", "ApplicationBuilder", "filters", "AIORateLimiter", "ApplicationHandlerStop", "BaseHandler", "PersistenceInput"}


def imported(tree: ast.Module) -> Mapping[str, Any]:
    """What names of telegram mean in a file, by the name that they have there."""
    names: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "telegram":
                    shown = alias.name if alias.asname else "telegram"
                    names[alias.asname or "telegram"] = telegram_module(shown)
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] == "telegram":
            module = node.module or ""
            for alias in node.names:
                listed = getattr(telegram_module(module), "__all__", ()) if alias.name == "*" else (alias.name,)
                names |= {(alias.asname or name): found_in(module, name) for name in listed}
    return names


def check_imports(path: Path, tree: ast.Module, top: Path) -> Iterator[Finding]:
    """What cannot be imported."""
    optional = {node for block in ast.walk(tree) if isinstance(block, ast.Try) for child in block.body for node in ast.walk(child)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _module(path, node, alias.name, top, node in optional)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from _names(path, node, top, node in optional)


def _names(path: Path, node: ast.ImportFrom, top: Path, is_optional: bool) -> Iterator[Finding]:
    module = node.module or ""
    if module.partition(".")[0] != "telegram" or telegram_module(module) is None:
        yield from _module(path, node, module, top, is_optional)
        return
    for alias in node.names:
        if alias.name == "*" or found_in(module, alias.name) is not None:
            continue
        if alias.name in _SINCE_20:
            yield Finding(
                path, node.lineno, f"{alias.name} is of python-telegram-bot 20 and later: this program is asynchronous; see docs/from-python-telegram-bot.md"
            )
        else:
            yield Finding(path, node.lineno, f"{module} has no {alias.name} here")


def _module(path: Path, node: ast.stmt, name: str, top: Path, is_optional: bool) -> Iterator[Finding]:
    head = name.partition(".")[0]
    if head == "telegram":
        if telegram_module(name) is None:
            yield Finding(path, node.lineno, f"there is no {name} here")
    elif head == "apscheduler":
        yield Finding(path, node.lineno, "jobs are not APScheduler's here: its triggers may be given to run_custom, its schedulers are not used", is_note=True)
    elif not is_optional and own_module(head, top) is None and not (top / head).is_dir() and not is_installed(head):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        yield Finding(path, node.lineno, f"the module {head} is not there in this Python {version}: install it, or its successor, for {sys.executable}")
