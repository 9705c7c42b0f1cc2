"""`syncbot chat-id`: who wrote to the bot last."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import common_options, json_option, load_settings, open_bot
from syncbot.cli.console.output import complain, is_terminal, one_line, tell, write, write_json
from syncbot.cli.sending.chats import BATCH, WaitingUpdate, waiting_updates

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

_PAUSE_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 25


@click.command("chat-id")
@click.option("--all", "everybody", is_flag=True, help="All chats with something waiting, the latest first: id, kind and name.")
@click.option("--wait", type=click.IntRange(0, 3600), default=0, metavar="SECONDS", help="Wait so long for somebody to write.")
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, /, everybody: bool, wait: int, as_json: bool) -> Exit:
    """Print the id of the chat that wrote to the bot last: what `syncbot send --chat` takes.

    It looks at the updates that wait at Telegram, and confirms none of them. A bot that is running has them already; stop it for the moment.

    \b
    Examples:
      syncbot chat-id --wait 60
      syncbot send --chat "$(syncbot chat-id)" Hello
    """
    with open_bot(load_settings(ctx)) as bot:
        seen = _find(bot, wait)
    if not seen:
        complain("nobody has written to the bot lately; write to it in Telegram, then try again (--wait 60 waits for it)")
        return Exit.TRY_LATER
    if len(seen) >= BATCH:
        tell(f"syncbot: {BATCH} updates or more are waiting; later ones cannot be seen before the bot has handled these")
    chats = list({one.chat_id: one for one in reversed(seen)}.values())
    _show(chats, everybody, as_json)
    return Exit.OK


def _find(bot: Bot, wait: int) -> list[WaitingUpdate]:
    """What waits now, or what comes within the time."""
    ends_at = time.monotonic() + wait
    seen = waiting_updates(bot)
    while not seen and (left := ends_at - time.monotonic()) > 0:
        seen = waiting_updates(bot, max(1, min(int(left), _LONGEST_WAIT_SECONDS)))
        if not seen:
            threading.Event().wait(min(_PAUSE_SECONDS, max(0.0, ends_at - time.monotonic())))
    return seen


def _show(chats: list[WaitingUpdate], everybody: bool, as_json: bool) -> None:
    if as_json:
        write_json([{"id": chat.chat_id, "type": chat.chat.get("type"), "name": chat.name, "date": chat.date or None} for chat in chats])
    elif everybody:
        write("\n".join(f"{chat.chat_id}\t{chat.chat.get('type', '')}\t{one_line(chat.name)}" for chat in chats))
    else:
        write(str(chats[0].chat_id))
        if is_terminal(sys.stderr):
            tell(f"{chats[0].name} ({chats[0].chat.get('type', '')})")
