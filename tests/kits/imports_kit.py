"""Reads the imports of the package from its source."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "syncbot"


@dataclass(frozen=True)
class Import:
    """One import statement: who, what, where, whether it stands in a function, and whether type checkers alone see it."""

    module: str
    name: str
    line: int
    deferred: bool
    for_types: bool

    @property
    def is_ours(self) -> bool:
        """Whether it is of the package itself."""
        return self.name.partition(".")[0] == "syncbot"

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


class Reader(ast.NodeVisitor):
    """Collects the imports of a module, and the names with one dot that it uses, each with its line."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.found: list[Import] = []
        self.dotted: list[tuple[int, str]] = []
        self._depth = 0
        self._for_types = False

    def visit_If(self, node: ast.If) -> None:
        """What stands under TYPE_CHECKING never happens."""
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            self._for_types = True
            for child in node.body:
                self.visit(child)
            self._for_types = False
            for child in node.orelse:
                self.visit(child)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """What stands in a function happens when it is called."""
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Import(self, node: ast.Import) -> None:
        """`import a.b`."""
        for alias in node.names:
            self._add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from a.b import c`; from the package itself, each name is a module or a public name."""
        assert node.level == 0, f"{self.module}:{node.lineno}: imports are absolute"
        assert node.module is not None
        for alias in node.names:
            below = f"{node.module}.{alias.name}"
            self._add(below if node.module == "syncbot" or is_module(below) else node.module, node)

    def visit_Call(self, node: ast.Call) -> None:
        """`importlib.import_module("a.b")`."""
        if ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            self._add(str(node.args[0].value), node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`a.b`."""
        if isinstance(node.value, ast.Name):
            self.dotted.append((node.lineno, f"{node.value.id}.{node.attr}"))
        else:
            self.visit(node.value)

    def _add(self, name: str, node: ast.stmt | ast.expr) -> None:
        self.found.append(Import(self.module, name, node.lineno, self._depth > 0, self._for_types))


def is_module(name: str) -> bool:
    """Whether a dotted name is a module or a package of ours."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def modules() -> dict[str, Path]:
    """Every module of the package by name, with its file."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@functools.cache
def read() -> tuple[Reader, ...]:
    """Every module of the package, read once for all tests of a process."""
    readers = []
    for name, path in modules().items():
        readers.append(Reader(name))
        readers[-1].visit(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))
    return tuple(readers)


def imports() -> list[Import]:
    """Every import of the package, one under TYPE_CHECKING too."""
    return [one for reader in read() for one in reader.found]
