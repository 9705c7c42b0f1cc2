"""The state file, for the commands that look into it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncbot.cli.console.options import as_path, load_settings
from syncbot.config import state_dir
from syncbot.errors import ConfigError
from syncbot.storage import StoreOptions, open_store

if TYPE_CHECKING:
    from syncbot.config import Settings
    from syncbot.storage import Store

_Command = TypeVar("_Command", bound=Callable[..., Any])


def state_option(command: _Command) -> _Command:
    """Add `--state`."""
    return click.option("--state", callback=as_path, metavar="FILE", help="The state file. Else SYNCBOT_STATE, else the usual place for this bot.")(command)


def state_file(settings: Settings, named: str | None) -> Path:
    """Where the state file is.

    Raises:
        ConfigError: it is not known, or not there.
    """
    path = usual_state(settings, named)
    if path is None:
        raise ConfigError("which state file? Give --state FILE, or set SYNCBOT_STATE (or the token, for the usual place), for example --state bot.db")
    if not os.path.exists(path):  # nor can a file be whose name is too long
        raise ConfigError(f"there is no state file {path}: has the bot run here? Give another with --state FILE, or SYNCBOT_STATE")
    return path


def usual_state(settings: Settings, named: str | None) -> Path | None:
    """Where the state file would be, there or not; None where nothing says whose."""
    path = Path(named) if named is not None else settings.state
    if path is not None or not settings.token:
        return path
    return state_dir() / f"{settings.token.partition(':')[0]}.db"


def open_state(ctx: click.Context, named: str | None) -> Store:
    """The state file, whichever bot it belongs to.

    Raises:
        ConfigError: it is not there.
        StorageError: it cannot be used.
    """
    settings = load_settings(ctx, require_token=False)
    return open_store(state_file(settings, named), None, options=StoreOptions(check=False))


def when(seconds: float) -> str:
    """A time for people, in this machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
