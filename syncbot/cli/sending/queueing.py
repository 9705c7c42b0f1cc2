"""`syncbot send --queue`: messages go into the state file first, and from there on their way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from syncbot.cli.console.exits import Exit
from syncbot.runtime.outbox.outbox import Outbox
from syncbot.runtime.state_file import AUTO
from syncbot.storage import OutboxItem, OutboxState

if TYPE_CHECKING:
    from syncbot.cli.sending.attachments import Call
    from syncbot.client.bot import Bot

DELIVER_SECONDS = 20.0
"""How long delivery is tried at once, where --timeout does not say."""
_PATIENCE_SECONDS = 2.0
"""What can only be tried again later than this is left to a later flush: a cron job should end."""


def queue_and_deliver(bot: Bot, chats: Sequence[Any], calls: Sequence[Call], seconds: float, ttl: float | None = None) -> list[dict[str, Any]]:
    """Queue the calls for every chat, and deliver what is due.

    Args:
        bot: whose calls they are.
        chats: where they go.
        calls: methods with their parameters, the chat left out.
        seconds: how long to try at once.
        ttl: how many seconds they may wait; then they fail instead of being made. None for any time.

    Returns:
        What became of each chat's calls: those that still wait are safe, and count as done.

    Raises:
        click.UsageError: a file cannot be read.
        StorageError: the state file cannot be used; what was queued before is queued.
        Unauthorized: Telegram does not know the token; everything is queued.
    """
    with _told_by_results(), Outbox(AUTO, bot) as outbox:
        numbers = {chat: [_put(outbox, chat, call, ttl) for call in calls] for chat in chats}
        outbox.flush(seconds, patience=_PATIENCE_SECONDS)
        mine = {number for chat in chats for number in numbers[chat]}
        waiting = {item.id: item for item in _from(outbox, min(mine)) if item.id in mine}
    return [_result(chat, [waiting[number] for number in numbers[chat] if number in waiting]) for chat in chats]


@contextmanager
def _told_by_results() -> Iterator[None]:
    """Keep the warnings of the delivery from standard error, where nobody has set logging up: the results say the same."""
    log, nowhere = logging.getLogger("syncbot"), logging.NullHandler()
    log.addHandler(nowhere)
    try:
        yield
    finally:
        log.removeHandler(nowhere)


def _put(outbox: Outbox, chat: Any, call: Call, ttl: float | None) -> int:
    method, parameters = call
    try:
        return outbox.call(method, ttl=ttl, chat_id=chat, **parameters)
    except (OSError, ValueError) as problem:
        reason = f"{problem.filename}: {problem.strerror}" if isinstance(problem, OSError) else str(problem)
    raise click.UsageError(f"--file: {reason}")


def _from(outbox: Outbox, first: int) -> list[OutboxItem]:
    found: list[OutboxItem] = []
    while page := outbox.entries(after=found[-1].id if found else first - 1):
        found += page
    return found


def _result(chat: Any, items: Sequence[OutboxItem]) -> dict[str, Any]:
    queued = [item.id for item in items if item.state not in (OutboxState.FAILED, OutboxState.UNCERTAIN)]
    result = {"chat": chat, "ok": True, "messages": [], "queued": queued, "error": "", "note": "", "exit": Exit.OK}
    if queued:
        reason = next((f": {item.reason}" for item in items if item.id in queued and item.reason), "")
        result["note"] = f"not sent yet, and waits in the outbox{reason}"
    for state, code, words in ((OutboxState.FAILED, Exit.REFUSED, "refused"), (OutboxState.UNCERTAIN, Exit.UNCERTAIN, "delivery uncertain")):
        if reasons := [item.reason for item in items if item.state is state]:
            result |= {"ok": False, "error": f"{words}: {reasons[0]}; it is held in the outbox (syncbot outbox list)", "exit": code}
    return result
