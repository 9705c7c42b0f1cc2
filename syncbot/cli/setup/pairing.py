"""Finding the chat: the user sends the bot a code that only somebody at this screen can know."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING

from syncbot.cli.sending.chats import BATCH, WaitingUpdate, waiting_updates
from syncbot.errors import ConfigError

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

_LONGEST_WAIT_SECONDS = 25
_PAUSE_SECONDS = 1.0


def new_code() -> str:
    """Six digits that nobody can guess within the time limit."""
    return f"{secrets.randbelow(900_000) + 100_000}"


def deep_link(username: str, code: str) -> str:
    """A link that opens the bot in Telegram and sends the code at one tap on Start."""
    return f"https://t.me/{username}?start={code}"


def wait_for_code(bot: Bot, code: str, seconds: float) -> WaitingUpdate | None:
    """The message that brings the code, or None when the time is up. Updates of others stay for the bot.

    Raises:
        ConfigError: so much waits already that a new message cannot be seen.
        Conflict: another program polls, or a webhook is set.
        SyncBotError: as any call.
    """
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        waiting = waiting_updates(bot, max(1, min(int(left), _LONGEST_WAIT_SECONDS)))
        for place, seen in enumerate(waiting):
            if seen.user_id is not None and _brings(seen.text, code):
                if place == 0:  # nothing else is confirmed with it
                    bot.call("getUpdates", offset=seen.update_id + 1, limit=1, timeout=0)
                return seen
        if len(waiting) >= BATCH:
            raise ConfigError(f"{len(waiting)} updates wait for the bot, so that a new message cannot be seen; run the bot once, or give --chat and --user")
        if waiting:
            threading.Event().wait(min(_PAUSE_SECONDS, max(0.0, left)))
    return None


def _brings(text: str, code: str) -> bool:
    command, _, rest = text.strip().partition(" ")
    return text.strip() == code or (command.partition("@")[0] == "/start" and rest.strip() == code)
