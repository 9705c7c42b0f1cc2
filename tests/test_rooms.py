"""The house that the modules live in: no circles, rooms of a dozen files, files of 400 lines, and a drawing of it that is true."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from kits.imports_kit import PACKAGE, imports, is_module

MOST_MODULES = 12
MOST_LINES = 400

# Taken within a function alone, for what a user of the lower package asks for by name; see STEPS_UP in test_imports.py.
STEPS_UP = {("runtime", "webhook")}

FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})
DRAWN = [PACKAGE, *(folder for folder in FOLDERS if folder.parent == PACKAGE and any(path.is_dir() and path in FOLDERS for path in folder.iterdir()))]
GUIDE = Path(__file__).parents[1] / "docs" / "implementation.md"

Graph = Mapping[str, set[str]]
"""Who imports whom."""


def dotted(folder: Path) -> str:
    """A folder's name as a package."""
    return ".".join(folder.relative_to(PACKAGE.parent).parts)


@functools.cache
def files() -> Graph:
    """Each module with those that it imports anywhere: at its top, in a function, for type checkers. A face, which only hands names on, imports nothing."""
    graph: dict[str, set[str]] = {}
    for one in imports():
        if one.is_ours and is_module(one.name) and not (PACKAGE.parent.joinpath(*one.module.split(".")) / "__init__.py").is_file():
            graph.setdefault(one.module, set()).add(one.name)
    return graph


def inside(folder: Path) -> Graph:
    """The files and folders of one folder, and which of them imports which."""
    package = f"{dotted(folder)}."
    graph: dict[str, set[str]] = {path.stem: set() for path in folder.iterdir() if path in FOLDERS or (path.suffix == ".py" and path.stem != "__init__")}
    for module, imported in files().items():
        for name in imported:
            if module.startswith(package) and name.startswith(package):
                one, other = (each.removeprefix(package).partition(".")[0] for each in (module, name))
                if one != other and not (folder == PACKAGE and (one, other) in STEPS_UP):
                    graph[one].add(other)
    return graph


def circle(graph: Graph) -> list[str]:
    """Some circle in it; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_two_files_import_each_other() -> None:
    """Neither directly nor in a circle, and imports within functions and for type checkers count."""
    found = circle(files())
    assert [f"{one} is imported by {other}" for one, other in pairwise(found)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=dotted)
def test_no_circle_of_rooms(folder: Path) -> None:
    """What stands side by side in a folder, files and folders, has an above and a below."""
    assert circle(inside(folder)) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=dotted)
def test_a_room_can_be_overlooked(folder: Path) -> None:
    """A folder has a dozen modules at most; what grows beyond is two rooms."""
    own = sorted(path.name for path in folder.glob("*.py") if path.stem != "__init__")
    assert len(own) <= MOST_MODULES, own


def test_a_file_can_be_read_in_one_sitting() -> None:
    """No file has more than 400 lines."""
    assert {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.read_text(encoding="utf-8").count("\n") > MOST_LINES} == set()


def below(graph: Graph, name: str) -> set[str]:
    """All that one imports, directly or by way of others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in graph[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def arrows(graph: Graph) -> Iterator[str]:
    """Each import that does not follow from others: a picture of all of them shows nothing."""
    for name in sorted(graph):
        for other in sorted(graph[name]):
            if not any(other in below(graph, third) for third in graph[name] - {other}):
                yield f"{name} --> {other}"


@pytest.mark.parametrize("folder", DRAWN, ids=dotted)
def test_the_drawing_is_true(folder: Path) -> None:
    """docs/implementation.md draws each package that has rooms: an arrow for each import, those left out that follow from the others."""
    name = folder.relative_to(PACKAGE.parent).as_posix()
    found = re.search(rf"^`{name}/`[^\n]*\n\n```mermaid\nflowchart TD\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"there is no drawing of {name}/"
    graph = inside(folder)
    assert sorted(re.findall(r"^    (\w+)\[", found[1], re.MULTILINE)) == sorted(graph)
    drawn = sorted(line.strip() for line in found[1].splitlines() if "-->" in line)
    wanted = sorted(arrows(graph))
    assert drawn == wanted, "\n".join(["this would be true:", *(f"    {line}" for line in wanted)])
