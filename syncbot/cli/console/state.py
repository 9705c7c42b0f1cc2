"""The state file, or the database, for the commands that look into it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncbot.cli.console.options import Command, load_settings
from syncbot.cli.console.output import system_path
from syncbot.config import state_dir
from syncbot.errors import ConfigError
from syncbot.storage import StoreOptions, open_store
from syncbot.storage.address import DatabaseUrl, StatePlace, database_url

if TYPE_CHECKING:
    from syncbot.config import Settings
    from syncbot.storage import Store


def state_option(command: Command) -> Command:
    """Add `--state`."""
    text = "The state file, or the URL of its database. Else SYNCBOT_STATE, else the usual place for this bot."
    return click.option("--state", callback=as_state, metavar="FILE", help=text)(command)


def as_state(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> StatePlace | None:
    """Callback of an option or argument: where a state is.

    Raises:
        ConfigError: it is the URL of something else, or of what cannot be served here.
    """
    return None if value is None else database_url(value) or Path(system_path(value))


def state_file(settings: Settings, named: StatePlace | None) -> StatePlace:
    """Where the state is.

    Raises:
        ConfigError: it is not known, or it is a file that is not there.
    """
    path = usual_state(settings, named)
    if path is None:
        raise ConfigError("which state file? Give --state FILE, or set SYNCBOT_STATE (or the token, for the usual place), for example --state bot.db")
    if isinstance(path, Path) and not os.path.exists(path):  # nor can a file be whose name is too long
        raise ConfigError(f"there is no state file {path}: has the bot run here? Give another with --state FILE, or SYNCBOT_STATE")
    return path


def usual_state(settings: Settings, named: StatePlace | None) -> StatePlace | None:
    """Where the state would be, there or not; None where nothing says whose."""
    path = named if named is not None else settings.state
    if path is not None or not settings.token:
        return path
    return state_dir() / f"{settings.token.partition(':')[0]}.db"


def open_state(ctx: click.Context, named: StatePlace | None) -> Store:
    """The state, whichever bot it belongs to; of the bots in a database, the one of the token.

    Raises:
        ConfigError: it is not there.
        StorageError: it cannot be used.
    """
    settings = load_settings(ctx, require_token=False)
    place = state_file(settings, named)
    return open_store(place, bot_of(settings) if isinstance(place, DatabaseUrl) else None, options=StoreOptions(check=False))


def bot_of(settings: Settings) -> int | None:
    """The id of the bot whose token is set."""
    return int(settings.token.partition(":")[0]) if settings.token else None


def when(seconds: float) -> str:
    """A time for people, in this machine's zone; what others have written may be none."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return f"({seconds:g}, which is no time)"
