"""The command itself: options, the report on the screen or in JSON, and the record in the env file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import as_path, common_options, env_file, env_target, json_option, load_settings
from syncbot.cli.console.output import coloured, complain, one_line, write, write_exact, write_json
from syncbot.cli.console.state import state_option
from syncbot.cli.doctor.checkup import CheckupOptions, checkup, verdict, wrong_names
from syncbot.cli.doctor.result import Result, Status
from syncbot.config import Settings
from syncbot.config.envfile import write_env_file
from syncbot.errors import ConfigError
from syncbot.storage.address import StatePlace

PASSED = "TELEGRAM_HTTP_CLIENT_TEST_PASSED"
DATE = "TELEGRAM_HTTP_CLIENT_TEST_DATE"

_MEND = "syncbot init asks for what is missing, and writes it; or correct it by hand"
_MARKS = {Status.OK: ("✓", "green"), Status.NOTE: ("!", "yellow"), Status.FAILED: ("✗", "red"), Status.SKIPPED: ("-", "dim")}


@click.command("doctor")
@click.option(
    "--idle",
    is_flag=False,
    flag_value="50",
    type=click.IntRange(1, 50),
    metavar="[SECONDS]",
    help="Also find out how long a poll may wait before something on the way cuts it (takes up to 50 s).",
)
@click.option("--watch", type=click.IntRange(0, 600), default=6, metavar="SECONDS", help="How long to look for another poller; 0 for not at all. Default: 6.")
@click.option("--record", is_flag=True, help=f"Write {PASSED} and {DATE} to the env file.")
@state_option
@click.option("--log-file", "logs", multiple=True, callback=as_path, metavar="FILE", help="Look at the mode of this log too; may be repeated.")
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, /, idle: int | None, watch: int, record: bool, state: StatePlace | None, logs: tuple[str, ...], as_json: bool) -> Exit:
    """Look at everything between this machine and Telegram, and say what to do where something is wrong.

    Settings, who may read and change the bot's files, its state and lock, its health, the way (name look-up, proxy, tunnel, TLS and certificate, whether
    a connection can be opened in one flight), the token, how the bot runs (it polls here, its webhook brings its updates, elsewhere, or it is stopped),
    what waits to be delivered, clock, ten calls in a row; with several proxies all of them, side by side. Nothing is sent to anybody, no update is
    confirmed, and a bot that runs here is not disturbed: no poll is made beside its own. Each step has a deadline.

    \b
    ✓ well   ! worth knowing   ✗ broken   - not looked at, and why
    The last line is "Healthy.", or one cause and the command that comes next.

    \b
    Examples:
      syncbot doctor
      syncbot doctor --idle --record
      syncbot doctor --json --env-file /etc/mybot.env
    """
    results: list[Result] = []
    settings: Settings | None = None
    try:
        settings = load_settings(ctx)
    except ConfigError as error:
        advice = " ".join(wrong_names(env_file(ctx))) or _MEND
        steps: Iterable[Result] = [Result("settings", Status.FAILED, str(error), advice=advice, command="syncbot init", exit=Exit.CONFIG)]
    else:
        steps = checkup(settings, CheckupOptions(watch, idle or 0, state, logs))
    for result in steps:
        results.append(result)
        if not as_json:
            _show(result, several=settings is not None and len(settings.proxies) > 1)
    cause = verdict(results)
    code = cause.exit if cause is not None else Exit.OK
    if as_json:
        why = {"cause": cause.text if cause else "", "command": cause.command if cause else ""}
        write_json({"ok": cause is None, "exit_code": int(code), **why, "steps": [result.to_json() for result in results]})
    if record and settings is not None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_env_file(env_target(ctx, settings), {PASSED: "true" if cause is None else "false", DATE: now})
    if cause is not None:
        way = f", through {cause.way}" if cause.way not in ("", "direct") and cause.way not in cause.text else ""
        complain(f"{cause.step}: {cause.text}{way}" + (f"; next: {cause.command}" if cause.command else ""))
    elif not as_json:
        write("Healthy.")
    return code


def _show(result: Result, *, several: bool) -> None:
    sign, colour = _MARKS[result.status]
    mark = coloured(sign, colour, sys.stdout)
    milliseconds = f"{result.seconds * 1000:7.0f} ms" if result.seconds else " " * 10
    way = f"  [{one_line(result.way)}]" if result.way and several else ""
    write_exact(f"{mark} {milliseconds}  {result.step}: {one_line(result.text)}{way}")
    if result.advice:
        write(f"{'':14}-> {one_line(result.advice)}")
