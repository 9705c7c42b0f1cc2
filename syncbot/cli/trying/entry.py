"""`syncbot try`: a page on this machine to talk to a bot with, before it has a token."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import common_options, env_file
from syncbot.cli.console.output import write
from syncbot.cli.console.target import give_environment, must_be_there

if TYPE_CHECKING:
    from syncbot.testing.page.trial import Trial


@click.command("try")
@click.argument("target", metavar="BOT.py|MODULE:APP", required=False)
@click.argument("arguments", metavar="[ARGUMENT]...", nargs=-1)
@click.option("--no-browser", is_flag=True, help="Print the page's address instead of opening it.")
@click.option("--terminal", is_flag=True, help="Talk to the bot here instead of in a page.")
@click.option("--faults", type=click.IntRange(0, 100), default=0, metavar="PERCENT", help="Let this share of the connections break at first.")
@click.option("--http", is_flag=True, help="For a bot of another library: a plain base URL, and no proxy to be set.")
@click.option("--user-id", type=click.IntRange(1), default=1001, metavar="ID", help="The id of the first user, for a bot that listens to one alone.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT", help="The port of the page; a free one by default.")
@common_options
@click.pass_context
def command(
    ctx: click.Context, /, target: str | None, arguments: tuple[str, ...], no_browser: bool, terminal: bool, faults: int, http: bool, user_id: int, port: int
) -> Exit:
    """Run a bot as it is, against a stand-in for Telegram on this machine, and open a page to talk to it.

    A token, a base URL, a proxy or a state file in its code leads into the trial: the real bot and its state are not touched. Without a bot it shows
    the base URL and the token for one that you start yourself. Ctrl-C ends it, and forgets everything.

    \b
    Examples:
      syncbot try bot.py
      syncbot try bot:app --faults 20
      syncbot try bot.py -- --verbose
      syncbot try --http
    """
    from syncbot.testing.page.trial import Trial

    if target is not None:
        must_be_there(target)
    give_environment(env_file(ctx))
    with _ended_in_order(), ExitStack() as stack:
        try:
            trial = stack.enter_context(
                Trial(target, arguments, rate=faults / 100, tls=target is not None and not http, console=sys.stderr, first_user_id=user_id)
            )
        except ImportError as problem:  # what makes the certificates is an extra, and the text says which
            raise click.ClickException(str(problem)) from None
        if target is None or http:
            write(f"Base URL: {trial.sandbox.url}\nToken:    {trial.sandbox.server.token}")
        if terminal:
            _in_terminal(trial)
        else:
            _in_page(trial, port, no_browser)
    return Exit.OK


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Within the block whoever ends the program, or closes its terminal, interrupts it: the bot and its folder go with it."""
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _in_terminal(trial: Trial) -> None:
    from syncbot.testing.page.terminal import HELP, Terminal

    write(HELP)
    Terminal(trial, write, paced=not sys.stdin.isatty()).run(sys.stdin)


def _in_page(trial: Trial, port: int, no_browser: bool) -> None:
    from syncbot.testing.page.web import PageServer

    try:
        server = PageServer(trial, Path.cwd(), port)
    except OSError as problem:
        raise click.UsageError(f"port {port} cannot be had: {problem.strerror}; leave --port out for a free one") from None
    with server as page:
        write(f"Talk to your bot: {page.url}\nCtrl-C ends it.")
        if not no_browser:
            import webbrowser

            webbrowser.open(page.url)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
