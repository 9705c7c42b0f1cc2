"""`syncbot run-ptb13`: a program that was written for python-telegram-bot 13, unchanged."""

from __future__ import annotations

from pathlib import Path

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import as_path, common_options, env_file
from syncbot.cli.console.output import tell_all, write
from syncbot.cli.console.target import BotFailed, give_environment, name_state
from syncbot.errors import SyncBotError


@click.command("run-ptb13", context_settings={"allow_interspersed_args": False})
@click.argument("program", metavar="PROGRAM", callback=as_path)
@click.argument("arguments", metavar="[ARGUMENT]…", nargs=-1, type=click.UNPROCESSED, callback=as_path)
@click.option("--check", is_flag=True, help="Only say what of it cannot be carried over, by file and line; nothing of it runs.")
@click.option("--state", callback=as_path, metavar="FILE", help="Store each update in this file before it is confirmed to Telegram.")
@click.option("--read-pickles", is_flag=True, help="Read the files of its PicklePersistence, once. A pickle runs the code of whoever wrote it.")
@click.option("--pickled", is_flag=True, help="Keep what is neither JSON nor a dataclass as pickles in the state file.")
@common_options
@click.pass_context
def command(ctx: click.Context, /, program: str, arguments: tuple[str, ...], check: bool, state: str | None, read_pickles: bool, pickled: bool) -> Exit:
    """Run a PROGRAM that was written for python-telegram-bot 13, with nothing changed in it, until SIGINT or SIGTERM.

    `from telegram.ext import Updater` finds the synchronous classes of then; the calls, the polls and the order are syncbot's.

    \b
    Examples:
      syncbot run-ptb13 --check bot.py
      syncbot run-ptb13 --state bot.db bot.py
    """
    if not Path(program).is_file():
        raise click.UsageError(f"there is no file {program}; for example syncbot run-ptb13 bot.py")
    give_environment(env_file(ctx))
    if state is not None:
        name_state(state)
    if check:
        return _checked(Path(program))
    return _run(program, arguments, read_pickles=read_pickles, pickled=pickled)


def _run(program: str, arguments: tuple[str, ...], *, read_pickles: bool, pickled: bool) -> Exit:
    from syncbot.compat.ptb13.program import run_program  # deferred: it loads telegram

    try:
        run_program(program, arguments, reads_pickles=read_pickles, pickled=pickled)
    except SyncBotError:
        raise
    except Exception as error:  # as Python shows it, but for secrets
        from syncbot.logs import guard

        tell_all(guard().traceback(error))
        missing = isinstance(error, ImportError | AttributeError | TypeError)
        check = f"; what cannot be carried over tells: syncbot run-ptb13 --check {program}" if missing else ""
        raise BotFailed(f"{program} has ended with an error: {type(error).__name__}{check}") from None
    return Exit.OK


def _checked(program: Path) -> Exit:
    from syncbot.compat.ptb13 import install  # noqa: F401  # deferred: it loads telegram, and puts the modules of 13 in place
    from syncbot.compat.ptb13.checking.program import check_program

    findings = check_program(program)
    for finding in findings:
        write(str(finding))
    return Exit.OK if all(finding.is_note for finding in findings) else Exit.BAD
