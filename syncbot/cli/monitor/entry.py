"""`syncbot monitor`: the command."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import as_chat, as_path, as_seconds, common_options, json_option, load_settings, open_bot
from syncbot.cli.console.output import complain, draws
from syncbot.cli.console.state import open_state, state_option
from syncbot.cli.monitor.look import Bounds, Watcher
from syncbot.cli.monitor.view import View
from syncbot.errors import SyncBotError
from syncbot.regular import what_else

if TYPE_CHECKING:
    from syncbot.cli.monitor.alert import Alerts
    from syncbot.storage.address import StatePlace

_LIVE_SECONDS = 2.0
_LINE_SECONDS = 60.0
_STEADY_LOOKS = 2
"""A turn is told when it still stands at the next look: a single bad moment wakes nobody."""
_ALERT_SECONDS = 30.0


@click.command("monitor")
@state_option
@click.option("--heartbeat", callback=as_path, metavar="FILE", help="The file that the bot touches while all is well: Runtime(heartbeat_file=…).")
@click.option("--log-file", callback=as_path, metavar="FILE", help="Watch this log instead of the state; of python-telegram-bot and telebot too.")
@click.option("--once", is_flag=True, help="One look, for cron: exit code 0 when all is well, 1 when not.")
@click.option("--alert", metavar="CHAT", help="Send a message to this chat when it turns bad, and when it is good again.")
@click.option("--interval", callback=as_seconds, metavar="SECONDS", help="Between two looks. Default: 2 on a terminal, 60 elsewhere.")
@click.option("--max-lag", callback=as_seconds, default="60", metavar="SECONDS", help="Bad is an update that waits longer. Default: 60.")
@click.option("--max-queue", type=click.IntRange(0), default=100, metavar="N", help="Bad is a longer queue. Default: 100.")
@click.option("--max-failures", type=click.FloatRange(0.0), default=6.0, metavar="N", help="Bad are more failures a minute in the log. Default: 6.")
@click.option("--max-silence", callback=as_seconds, metavar="SECONDS", help="Bad is a log that is silent for longer, or a longer time since a run from cron.")
@click.option("--minutes", type=click.FloatRange(0.1, 1440.0), default=5.0, metavar="N", help="How far back failures count. Default: 5.")
@json_option
@common_options
@click.pass_context
def command(
    ctx: click.Context, /, state: StatePlace | None, heartbeat: str | None, log_file: str | None, alert: str | None, once: bool, **options: Any
) -> Exit:
    """Watch a running bot by its state, or any bot by its log file: a live view on a terminal, a line a look elsewhere.

    The state tells of polls, lag, queue, dead letters and the outbox; a log file, followed over its rotation, of failures by kind, "Pool timeout"
    and connection errors among them. What a bot of syncbot's says of its health is seen in a log of JSON lines, and else in its state.

    \b
    Examples:
      syncbot monitor
      syncbot monitor --log-file bot.log --minutes 10
      */5 * * * * syncbot monitor --once --alert 123456789 >/dev/null

    Exit codes with --once: 0 all is well, 1 something is not.
    """
    if log_file is not None and (state is not None or heartbeat is not None):
        raise click.UsageError("--log-file watches a log alone; leave --state and --heartbeat out")
    bounds = Bounds(options["max_lag"], options["max_queue"], options["max_failures"], options["max_silence"], options["minutes"])
    watch, watched = _watch(ctx, state, heartbeat, log_file, bounds)
    try:
        alerts = _alerts(ctx, alert, watch.name, watched, steady=1 if once else _STEADY_LOOKS) if alert is not None else None
        view = View(watch.name, as_json=options["as_json"], live=not once)
        seconds = options["interval"] or (_LIVE_SECONDS if draws(sys.stdout) else _LINE_SECONDS)
        return _run(watch, view, alerts, once=once, seconds=seconds)
    finally:
        watch.close()


def _run(watch: Watcher, view: View, alerts: Alerts | None, *, once: bool, seconds: float) -> Exit:
    pause = threading.Event()
    while True:
        look = watch.look(time.time())
        view.show(look)
        if alerts is not None:
            alerts.take(look)
        if once:
            return Exit.OK if look.is_good else Exit.BAD
        pause.wait(seconds)


def _watch(ctx: click.Context, state: StatePlace | None, heartbeat: str | None, log_file: str | None, bounds: Bounds) -> tuple[Watcher, Path]:
    if log_file is not None:
        from syncbot.cli.monitor.log_watch import LogWatch

        path = Path(log_file)
        if os.path.isdir(path):
            raise click.UsageError(f"--log-file: {log_file} is a folder; name the file")
        if wrong := what_else(path):
            raise click.UsageError(f"--log-file: {log_file}: {wrong}; name the file")
        return LogWatch(path, bounds), path
    from syncbot.cli.monitor.state_watch import StateWatch

    store = open_state(ctx, state)
    return StateWatch(store, Path(heartbeat) if heartbeat is not None else None, bounds), Path(store.path or "")


def _alerts(ctx: click.Context, chat: str, name: str, watched: Path, *, steady: int) -> Alerts:
    from syncbot.cli.monitor.alert import Alerts, memory_for

    target = as_chat("--alert", chat)
    return Alerts(name, _sender(ctx, target), memory_for(watched, target), steady=steady)


def _sender(ctx: click.Context, chat: Any) -> Callable[[str], bool]:
    settings = load_settings(ctx)

    def send(text: str) -> bool:
        try:
            with open_bot(settings, _ALERT_SECONDS) as bot:
                bot.call("sendMessage", chat_id=chat, text=text)
        except SyncBotError as error:
            from syncbot.cli.console.words import describe

            complain(f"the alert was not sent, and is tried again at the next look: {describe(error)}")
            return False
        return True

    return send
