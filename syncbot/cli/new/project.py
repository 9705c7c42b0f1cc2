"""A project as texts: the templates of its kind, with its name and the versions of now in them."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import re
import shlex
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

from syncbot.regular import opener

KINDS = ("cron", "service", "django", "webhook")
"""Each has a folder of templates; what all have in common lies in "common"."""
_SUFFIX = ".tpl"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_DOT = "dot-"
"""What a name begins with instead of its dot: packaging leaves hidden files out."""


def files_of(kind: str, name: str, folder: Path) -> dict[str, str]:
    """The files of a project: their paths in it, and their texts.

    Args:
        kind: of `KINDS`.
        name: the project's.
        folder: where it is going to lie, for what has to name it.
    """
    version, package = importlib.metadata.version("syncbot"), name.replace("-", "_")
    needed = [f"syncbot[webhook]=={version}" if kind == "webhook" else f"syncbot=={version}", *([pinned("django")] if kind == "django" else [])]
    values = {
        "name": name,
        "package": package,
        "kind": kind,
        "cron_folder": shlex.quote(str(folder)).replace("%", r"\%"),
        "version": version,
        "pytest": pinned("pytest"),
        "dependencies": ", ".join(f'"{one}"' for one in needed),
        "modules": f'packages.find = {{ include = ["{package}*"] }}' if kind == "django" else 'py-modules = ["bot"]',
    }
    templates = importlib.resources.files("syncbot.cli.new") / "templates"
    found = {**dict(_templates(templates / "common")), **dict(_templates(templates / kind))}
    return {_filled(path, values): _filled(text, values) for path, text in found.items()}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Make the folder, and the files in it.

    Raises:
        OSError: the folder is there already, or something cannot be written.
    """
    folder.mkdir()
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "x", encoding="utf-8", opener=opener) as file:
            file.write(text)


def pinned(package: str) -> str:
    """The requirement that takes the version which is installed here; else the one that syncbot itself is tested with or a later one."""
    try:
        return f"{package}=={importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        ours = (line.partition(";")[0].strip() for line in importlib.metadata.requires("syncbot") or ())
        return next((line for line in ours if re.split(r"[^\w-]", line)[0].lower() == package), package)


def _templates(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _templates(one, f"{above}{one.name}/")
        elif one.name.endswith(_SUFFIX):
            name = one.name.removesuffix(_SUFFIX)
            with one.open(encoding="utf-8") as file:
                yield above + (f".{name.removeprefix(_DOT)}" if name.startswith(_DOT) else name), file.read()


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: values[place[1]], text)
