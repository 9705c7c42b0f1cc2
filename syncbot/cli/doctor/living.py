"""How the bot gets its updates, wherever that is, and what waits on either side: its lock, its webhook, and only where none of the two tells, a poll."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from syncbot.cli.console.asking import ask_for
from syncbot.cli.console.exits import Exit
from syncbot.cli.doctor.result import Result, Status
from syncbot.cli.doctor.running import OwnBot
from syncbot.cli.doctor.telegram import failed
from syncbot.cli.monitor.look import Bounds, span
from syncbot.client.bot import Bot
from syncbot.errors import Conflict, SyncBotError

STEP = "how it runs"
_PAUSE_SECONDS = 1.0
_DELETE = "syncbot webhook delete"


def webhook_info(bot: Bot) -> Mapping[str, Any]:
    """What Telegram knows of the webhook; "url" is there where one is set.

    Raises:
        SyncBotError: it could not be asked.
    """
    return ask_for(dict, bot, "getWebhookInfo")


def how_it_runs(bot: Bot, own: OwnBot, info: Mapping[str, Any], watch_seconds: float) -> Result:
    """It polls here, its webhook brings its updates, it runs elsewhere, or it is stopped. While our own bot runs, nothing polls beside it.

    Args:
        bot: whose updates they are.
        own: what is known of it on this machine.
        info: what Telegram knows of the webhook.
        watch_seconds: how long to look for a poller elsewhere; 0 for not at all.
    """
    began = time.monotonic()
    here = f"it runs here{f' (process {own.process})' if own.process else ''} and " + ("takes what its webhook brings" if own.by_webhook else "polls")
    if info.get("url"):
        return _with_webhook(own, info, here)
    if own.by_webhook:
        advice = "syncbot webhook set URL sets it; a bot that begins with Runtime.run_webhook does so by itself"
        if own.runs:
            text = "no webhook is set, and so the bot here, which lives by one, gets nothing"
            return Result(STEP, Status.FAILED, text, advice=advice, command="syncbot webhook set URL", exit=Exit.BAD)
        return Result(STEP, Status.NOTE, "no webhook is set, and the bot ran by one last", advice=advice)
    if own.runs:
        return Result(STEP, Status.OK, here)
    stopped = "cron starts it" if own.said.get("once") else "stopped" if own.look is not None else "it does not run here"
    if not watch_seconds:
        return Result(STEP, Status.SKIPPED, f"{stopped}; whether it runs elsewhere was not looked at (--watch 0)")
    try:
        _poll(bot, watch_seconds)
    except Conflict as error:
        advice = "only one program may poll for a bot: stop the other one, or give it a bot of its own; a token that leaked can be changed at @BotFather"
        text = "another program polls for this bot (409)"
        if own.look is None:  # whether it is ours, nobody knows here
            return Result(STEP, Status.NOTE, f"it runs elsewhere: {text}", time.monotonic() - began, advice)
        return failed(STEP, error, began, advice, "syncbot init --new-token", text=f"{stopped} here, and {text}")
    except SyncBotError as error:
        return failed(STEP, error, began, "try again")
    return Result(STEP, Status.OK, f"{stopped}; nobody else polls for it (looked for {watch_seconds:g} s), and no webhook is set", time.monotonic() - began)


def delivery(own: OwnBot, info: Mapping[str, Any]) -> Result:
    """What waits: updates at Telegram and here, calls in the outbox, what failed and waits for somebody to look at it."""
    at_telegram = info.get("pending_update_count") or 0
    parts = [f"{at_telegram} updates wait at Telegram"]
    notes = [f"the webhook last failed with: {info['last_error_message']}"] if info.get("url") and info.get("last_error_message") else []
    advice, command = ("syncbot webhook info tells when that was", "syncbot webhook info") if notes else ("", "")
    if own.look is None:
        return Result("delivery", Status.NOTE if notes else Status.OK, "; ".join([*notes, *parts]), advice=advice, command=command)
    facts, bounds = own.look.facts, Bounds()
    outbox = facts.get("outbox", {})
    parts += [f"{facts.get('queue', 0)} here", f"{outbox.get('queued', 0)} calls in the outbox"]
    if own.runs and facts.get("lag", 0.0) > bounds.lag:
        late = f"an update has been waiting for {span(facts['lag'])}"
        return Result("delivery", Status.FAILED, "; ".join([late, *parts]), advice=f"{own.monitor} shows it", command=own.monitor, exit=Exit.BAD)
    for number, what, looks in (
        (facts.get("dead_letters", 0), "dead letters", "dead-letters"),
        (outbox.get("uncertain", 0), "uncertain calls", "outbox"),
        (outbox.get("failed", 0), "failed calls", "outbox"),
    ):
        if number:
            notes.append(f"{number} {what}")
            command = command or f"syncbot {looks} list --state {own.path}"
            advice = advice or f"{command} shows them"
    return Result("delivery", Status.NOTE if notes else Status.OK, "; ".join([*notes, *parts]), advice=advice, command=command)


def _with_webhook(own: OwnBot, info: Mapping[str, Any], here: str) -> Result:
    url = str(info["url"])
    host = url.split("/")[2] if "://" in url else url
    text = f"a webhook is set, at {host}"
    if own.by_webhook is None:
        advice = f"the bot there may have had no update yet; one that is to poll gets nothing while it is set: {_DELETE} removes it"
        return Result(STEP, Status.NOTE, f"{here.partition(' and ')[0] + ', and' if own.runs else 'elsewhere:'} {text}", advice=advice)
    if own.by_webhook:
        return Result(STEP, Status.OK, f"{text}; {here if own.runs else 'no process of the bot stays here between two requests'}")
    text += f", and so the bot here gets nothing: {'it polls' if own.runs else 'when it ran last, it polled'}"
    return Result(STEP, Status.FAILED, text, advice=f"remove it with: {_DELETE}", command=_DELETE, exit=Exit.REFUSED)


def _poll(bot: Bot, seconds: float) -> None:
    """Poll for so long, confirming nothing: Telegram ends our waiting poll with 409 when somebody else polls again.

    Raises:
        Conflict: somebody does.
        SyncBotError: it could not be asked.
    """
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        if ask_for(list, bot, "getUpdates", limit=100, timeout=max(1, round(left))):  # then Telegram does not wait, and we have to
            threading.Event().wait(min(_PAUSE_SECONDS, max(0.0, left)))
