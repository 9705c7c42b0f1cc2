"""`syncbot run`: a bot that is written in a module, until it is told to stop."""

from __future__ import annotations

import sys

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import bot_logging, common_options, log_file_option
from syncbot.cli.console.output import is_terminal, tell_all
from syncbot.cli.console.target import load_app


@click.command("run")
@click.argument("target", metavar="MODULE:APP")
@log_file_option
@click.option("--log-json", is_flag=True, help="Log in JSON, one object a line.")
@common_options
@click.pass_context
def command(ctx: click.Context, /, target: str, log_file: str | None, log_json: bool) -> Exit:
    """Run the bot APP (a syncbot.Runtime, or a function that returns one) of a Python MODULE until SIGINT or SIGTERM.

    A first signal lets running handlers end, a second one does not wait for them. The log goes to standard error; SYNCBOT_LOG_LEVEL says how much.

    \b
    Examples:
      syncbot run bot:app          # or bot.py, for its app
      syncbot run bot:app --env-file /etc/mybot.env --log-file bot.log
    """
    app = load_app(ctx, target)
    bot_logging(ctx, log_file, as_json=log_json)
    if is_terminal(sys.stderr):
        tell_all("The bot starts; Ctrl-C ends it.")
    app.run()
    return Exit.OK
