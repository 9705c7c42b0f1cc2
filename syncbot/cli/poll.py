"""`syncbot poll --once`: what waits for a bot, handled in one go: for cron."""

from __future__ import annotations

import shlex
from dataclasses import asdict

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import as_seconds, bot_logging, common_options, json_option, log_file_option
from syncbot.cli.console.output import complain, write_json
from syncbot.cli.console.target import load_app


@click.command("poll")
@click.argument("target", metavar="MODULE:APP")
@click.option("--once", is_flag=True, help="Fetch what waits, handle it, and end.")
@click.option(
    "--max-seconds", callback=as_seconds, default="60", metavar="SECONDS", help="When to end even if more waits; it stays for the next time. Default: 60."
)
@log_file_option
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, /, target: str, once: bool, max_seconds: float, log_file: str | None, as_json: bool) -> Exit:
    """Handle the updates that wait for the bot APP of a Python MODULE, and end. Silent when all went well.

    Exit codes: 0 all is handled, 75 something is left for the next time (or another process is at it), 1 a handler failed.

    \b
    Example, a line for cron:
      * * * * * syncbot poll bot:app --once --max-seconds 50
    """
    if not once:
        raise click.UsageError("poll is for one go: add --once; a bot that runs for good is started with: syncbot run " + target)
    app = load_app(ctx, target)
    bot_logging(ctx, log_file, as_json=False, level="WARNING")
    summary = app.run_once(max_seconds)
    if as_json:
        write_json({**asdict(summary), "exit_code": summary.exit_code})
    code = Exit(summary.exit_code)
    if code is not Exit.OK:
        # Without a state file they end with this process.
        hint = f"; syncbot dead-letters list --state {shlex.quote(str(app.state))} shows them" if summary.failed and app.state is not None else ""
        complain(f"{summary}{hint}")
    return code
