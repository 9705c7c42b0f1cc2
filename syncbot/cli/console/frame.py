"""The frame of the command line: finds the command, runs it, and turns whatever happens into an exit code and one line."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from syncbot.cli.console.exits import Exit, exit_for
from syncbot.cli.console.options import debug_option, env_file_option, wants_debug
from syncbot.cli.console.output import ReaderGone, complain, drop_output, readable_argument, surroundings, tell_all, use_utf8, write
from syncbot.errors import SyncBotError

if TYPE_CHECKING:
    from types import FrameType

    from click.shell_completion import CompletionItem

COMMANDS = {
    "send": ("send", "Send a message, or files."),
    "call": ("call", "Call any method of the Bot API."),
    "download": ("download", "Download a file."),
    "run": ("run", "Run a bot until it is told to stop."),
    "run-telebot": ("programs.run_telebot", "Run a bot of pyTelegramBotAPI as it is."),
    "run-ptb13": ("programs.ptb13", "Run a bot written for python-telegram-bot 13."),
    "try": ("trying.entry", "Talk to your bot in a page on this machine; no token needed."),
    "new": ("new.entry", "Write a small bot project, with tests that pass."),
    "poll": ("poll", "Handle what waits for a bot, and end: for cron."),
    "init": ("setup.entry", "Set a bot up: token, way, chat, env file."),
    "chat-id": ("chat_id", "Print the id of the chat that wrote last."),
    "doctor": ("doctor.entry", "Find out what is wrong between here and Telegram."),
    "monitor": ("monitor.entry", "Watch a running bot."),
    "webhook": ("webhook", "Set, show or delete the webhook."),
    "outbox": ("outbox", "Messages that wait to be delivered."),
    "dead-letters": ("dead_letters", "Updates whose handlers failed."),
    "jobs": ("jobs", "What a bot is to do at its times."),
    "check-state": ("check_state", "Whether a state file is whole; saves a damaged one."),
    "state": ("state.entry", "Move a state between a file and a database."),
    "completion": ("console.completion", "Let the shell complete commands and options."),
}
"""Each command: its module in this package, and what it does in the list of commands, which no module is loaded for; the order is that of the help."""
COMPLETE = "_SYNCBOT_COMPLETE"
"""The variable in which a shell asks what may come next on a command line; its name is click's."""
_SOON_SECONDS = 0.05
_FEW_COLLECTIONS = 100_000
"""The threshold of the garbage collector for a process that loads its modules, sends one message and ends: usual collections cost it 4 % of its time."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: `syncbot send` pays for itself alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"syncbot.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, does) for name, (_, does) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # deferred: only a shell that completes needs it

        found = [CompletionItem(name, help=does) for name, (_, does) in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from syncbot.client.api.table import nearest  # a mistyped command is the exception

            ctx.fail(f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)} (syncbot --help lists them)")
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # costs more than all the rest of this command

        write(f"syncbot {version('syncbot')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False, invoke_without_command=True)
@env_file_option
@debug_option
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version and exit.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Telegram bots from the shell: each call on a connection of its own, each outcome told by its exit code.

    \b
    Exit codes: 0 done, 75 try later, 76 delivery uncertain, 77 refused by
    Telegram, 78 wrong configuration, 2 wrong command line, 130 interrupted.
    """
    if ctx.invoked_subcommand is None:
        write(ctx.get_help())
        ctx.exit(Exit.USAGE)


def run(argv: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code; nothing is raised.

    A command answers with an `Exit`, or raises an error of ours; both are reported here.
    """
    debugging: list[bool] = []
    try:
        return int(_invoke(list(argv), debugging))
    except ReaderGone as problem:
        if str(problem):
            complain(str(problem))
        return Exit.READER_GONE
    except BrokenPipeError:  # click writes the help by itself
        drop_output()
        return Exit.READER_GONE
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted")
        return Exit.INTERRUPTED
    except click.ClickException as problem:
        complain(_usage_text(problem))
        return problem.exit_code  # 2 for a wrong command line, 1 for a bot's module that cannot be loaded
    except SyncBotError as error:
        complain(_describe(error))
        return exit_for(error)
    except Exception as error:
        if isinstance(error, ValueError) and not _is_utf8(argv):
            complain(f"an argument is not in UTF-8: {error}")
            return Exit.USAGE
        return _internal(error, bool(debugging))


def _is_utf8(argv: Sequence[str]) -> bool:
    """Whether all arguments can be sent; a name of a file need not be in UTF-8, all else has to."""
    return not any("\ud800" <= character <= "\udfff" for character in "".join(argv))


def _invoke(argv: list[str], debugging: list[bool]) -> Any:
    try:
        with cli.make_context("syncbot", argv) as ctx:
            ctx.call_on_close(lambda: debugging.append(True) if wants_debug(ctx) else None)
            return cli.invoke(ctx) or Exit.OK
    except click.exceptions.Exit as end:
        return end.exit_code


def _describe(error: SyncBotError) -> str:
    from syncbot.cli.console.words import describe  # deferred: a command that succeeds needs no words

    return describe(error)


_ELSEWHERE = {
    "--token": "every user of the machine could read it; set TELEGRAM_BOT_TOKEN, or let syncbot init write it into an env file",
    "--proxy": "set SYNCBOT_PROXY, in the environment or in an env file, for all commands",
}
"""What other programs take as options, and where it belongs here."""


def _usage_text(problem: click.ClickException) -> str:
    """What is wrong with the command line; somebody may have put a token or a proxy's password into it."""
    from syncbot.logs import guard  # deferred: a command that succeeds has nothing to hide

    text = guard().text(problem.format_message())
    if isinstance(problem, click.NoSuchOption) and problem.option_name in _ELSEWHERE:
        text = f"there is no option {problem.option_name}: {_ELSEWHERE[problem.option_name]}"
    if not isinstance(problem, click.UsageError) or "--help" in text:
        return text
    return f"{text} ({problem.ctx.command_path if problem.ctx is not None else 'syncbot'} --help shows how)"


def _internal(error: Exception, debugging: bool) -> int:
    """A mistake in the program: one line without secrets, and the traceback for those who asked to see more."""
    from syncbot.logs import guard

    redactor = guard()
    if debugging:
        tell_all(redactor.traceback(error))
    complain(f"a mistake in the program: {type(error).__name__}: {redactor.text(str(error))}" + ("" if debugging else "; --debug shows where"))
    return Exit.INTERNAL


def main() -> NoReturn:
    """The console script: run the command line of this process and exit."""
    try:
        if "send" in sys.argv[1:2]:
            gc.set_threshold(_FEW_COLLECTIONS)
        use_utf8()
        interrupt_quietly()
        if instruction := surroundings(COMPLETE):
            from click.shell_completion import shell_complete  # a shell asks what may come next

            _leave(shell_complete(cli, {}, "syncbot", COMPLETE, instruction))
        _leave(run([readable_argument(argument) for argument in sys.argv[1:]]))
    except KeyboardInterrupt:  # between two steps of ours
        os._exit(Exit.INTERRUPTED)


def interrupt_quietly() -> None:
    """An interrupt may strike in the middle of somebody's `__init__`; what Python has to say afterwards about the object that is half made helps nobody.

    Where it strikes in somebody's `__del__`, Python drops it: it comes again.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # ignored, as for a job in the background

    def on_interrupt(number: int, frame: FrameType | None) -> NoReturn:
        sys.unraisablehook = _again
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, on_interrupt)


def _again(dropped: sys.UnraisableHookArgs) -> None:
    if dropped.exc_type is KeyboardInterrupt:
        _thread.start_new_thread(_interrupt_soon, ())  # not from here: what is raised here is dropped, too


def _interrupt_soon() -> None:
    import threading  # deferred: hardly ever needed

    threading.Event().wait(_SOON_SECONDS)
    _thread.interrupt_main()


def _leave(code: int) -> NoReturn:
    """End the process.

    Tearing the interpreter down would take a fifth of the time of a whole `syncbot send`, to free memory that the system frees anyway: everything
    that needs an end has had it by now. Where a bot's own module was loaded, the process ends in the ordinary way, for the module may have asked
    for something to be done at exit.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # full, closed, or not there: `write` has told by now
            stream.flush()
    if "syncbot.runtime" in sys.modules:
        sys.exit(code)
    os._exit(code)
