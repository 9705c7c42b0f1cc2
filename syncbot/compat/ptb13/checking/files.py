"""The files of a program: the one that is started, and its own modules that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from syncbot.compat.ptb13.checking.finding import Finding
from syncbot.regular import opener

Parsed = tuple[Path, ast.Module]


def read_program(program: Path) -> tuple[list[Parsed], list[Finding]]:
    """All files of a program, read and parsed, and what cannot be.

    Args:
        program: the file that is started; its own modules are those beside it, and below.

    Raises:
        OSError: there is no such file.
    """
    parsed: list[Parsed] = []
    wrong: list[Finding] = []
    waiting, seen = [program], {program.resolve()}
    while waiting:
        path = waiting.pop(0)
        try:
            with open(path, "rb", opener=opener) as file:
                tree = ast.parse(file.read(), str(path))  # in the encoding that it says
        except (SyntaxError, ValueError) as problem:
            wrong.append(Finding(path, getattr(problem, "lineno", None) or 1, f"this Python cannot read it: {problem}"))
            continue
        parsed.append((path, tree))
        for other in _own_modules(tree, path, program.parent):
            if other.resolve() not in seen:
                seen.add(other.resolve())
                waiting.append(other)
    return parsed, wrong


def own_module(name: str, folder: Path) -> Path | None:
    """The file of a module that stands in a folder; None where none does."""
    path = folder.joinpath(*name.split("."))
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if name and each.is_file()), None)


def _own_modules(tree: ast.Module, path: Path, top: Path) -> Iterator[Path]:
    for node in ast.walk(tree):
        names: list[str] = []
        folder = top
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names = [base, *(f"{base}.{alias.name}" if base else alias.name for alias in node.names)]
            if node.level:
                folder = path.parents[node.level - 1]
        for name in names:
            if (found := own_module(name, folder)) is not None:
                yield found
