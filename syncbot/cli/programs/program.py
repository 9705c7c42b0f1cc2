"""A program of somebody's, run as Python would run it."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from syncbot.cli.console.output import tell_all
from syncbot.cli.console.target import BotFailed
from syncbot.errors import SyncBotError
from syncbot.logs import guard


def check_program(program: str) -> None:
    """See that there is such a program.

    Raises:
        click.UsageError: there is none.
    """
    if not Path(program).is_file():
        raise click.UsageError(f"there is no program {program}; for example bot.py")


def run_program(program: str, arguments: Sequence[str]) -> None:
    """Run it as `python PROGRAM ARGUMENTS` does; its error is shown whole, without secrets.

    Raises:
        BotFailed: it has ended with an error.
        SyncBotError: it has ended with this one.
    """
    sys.argv = [program, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    try:
        runpy.run_path(program, run_name="__main__")
    except SyncBotError:
        raise
    except Exception as error:
        tell_all(guard().traceback(error))
        raise BotFailed(f"{program} has ended with an error: {type(error).__name__}") from None
