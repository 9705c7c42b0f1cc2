"""`syncbot state`: a state moved from one place to another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import common_options, json_option, load_settings
from syncbot.cli.console.output import write, write_json
from syncbot.cli.console.state import as_state, bot_of
from syncbot.errors import ConfigError

if TYPE_CHECKING:
    from syncbot.storage import StatePlace


@click.group("state", no_args_is_help=False)
def command() -> None:
    """A state as a whole.

    \b
    Example:
      syncbot state copy bot.db postgresql://bot@db/bot
    """


@command.command("copy")
@click.argument("source", metavar="FROM", callback=as_state)
@click.argument("target", metavar="TO", callback=as_state)
@json_option
@common_options
@click.pass_context
def copy_command(ctx: click.Context, /, source: StatePlace, target: StatePlace, as_json: bool) -> Exit:
    """Copy a state from a file into a PostgreSQL database, or back. That is what waits, data, states, journal, questions, jobs, the outbox with its files, dead
    letters. No bot may run on either; TO must hold nothing of the bot, and is left without anything when the copying ends in the middle.
    FROM stays as it is: start the bot with one of the two, not with both.

    A password need not stand in the command line: libpq takes it from PGPASSWORD, or from ~/.pgpass.

    \b
    Examples:
      syncbot state copy bot.db postgresql://bot@db/bot
      syncbot state copy postgresql://bot@db/bot bot.db
    """
    from syncbot.storage.copying.copy import copy_state  # deferred: the list of commands in --help does not need it

    if isinstance(source, Path) and not os.path.exists(source):
        raise ConfigError(f"there is no state file {source}")
    source, target = (Path(os.path.abspath(place.expanduser())) if isinstance(place, Path) else place for place in (source, target))
    copied = copy_state(source, target, bot_of(load_settings(ctx, require_token=False)))
    if as_json:
        write_json({"from": str(source), "to": str(target), "copied": copied})
    else:
        write(f"copied from {source} to {target}: {', '.join(f'{name} {number}' for name, number in copied.items())}")
    return Exit.OK
