"""The command: looks whether the name is free, and writes the project."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
import sys
from pathlib import Path

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import common_options
from syncbot.cli.console.output import write
from syncbot.cli.new.project import KINDS, files_of, write_files
from syncbot.errors import ConfigError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*")
_LONGEST_NAME = 63
_OWN_MODULES = {"bot", "conftest", "manage", "tests"}
"""Modules that stand in each project, or in one of a kind."""


@click.command("new")
@click.argument("kind", metavar="cron|service|django|webhook", type=click.Choice(KINDS))
@click.argument("name", metavar="NAME")
@common_options
def command(kind: str, name: str) -> Exit:
    """Write a small project into the new folder NAME: a bot, its tests, the settings it needs, and what starts it.

    \b
    cron     cron starts the bot each minute; nothing stays running
    service  systemd keeps the bot running, and it polls
    django   the bot is part of a Django site: a view, or `manage.py runbot`
    webhook  a program of its own that takes what Telegram posts

    It asks nothing, fetches nothing, and overwrites nothing.

    \b
    Example:
      syncbot new service shop
    """
    check_name(name)
    try:
        folder = Path.cwd() / name
        files = files_of(kind, name, folder)
        write_files(folder, files)
    except FileExistsError:
        raise click.UsageError(f"{name!r} is there already, and nothing in it is touched; take another name, or go to another folder") from None
    except OSError as problem:
        raise ConfigError(f"the project cannot be written: {problem.filename or 'this folder'}: {problem.strerror}; remove what there is of {name}") from None
    write("\n".join(f"{name}/{path}" for path in sorted(files)))
    write(f"What comes next stands in {name}/README.md; first of all: cd {name} && pip install -e '.[test]' && pytest")
    return Exit.OK


def check_name(name: str) -> None:
    """Refuse a name that cannot be a project's, or that something else has.

    Raises:
        click.UsageError: it says why.
    """
    package = name.replace("-", "_")
    if _NAME.fullmatch(name) is None or len(name) > _LONGEST_NAME:
        raise click.UsageError(f"{name!r} is no name of a project: letters and digits, beginning with a letter, with single - or _ between them; say shop-bot")
    if keyword.iskeyword(package) or keyword.issoftkeyword(package):
        raise click.UsageError(f"{name!r} is a word of Python, and no module can have that name; say {name}-bot")
    if package.lower() in _OWN_MODULES | {module.lower() for module in sys.stdlib_module_names} or _is_installed(name, package):
        raise click.UsageError(f"a module or a package {name!r} is there already, and Python would take the one for the other; say {name}-bot")


def _is_installed(name: str, package: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return importlib.util.find_spec(package) is not None
    return True
