"""Which chats the updates come from that wait at Telegram; looking does not confirm them, so the bot gets them all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

BATCH = 100
"""How many waiting updates can be looked at: a look at later ones would confirm these."""


@dataclass(frozen=True)
class Seen:
    """One update that has a chat.

    Args:
        update_id: its id.
        chat: the Bot API Chat.
        user_id: who caused it, where that is known.
        text: the text of the message, where it is one.
        date: when, in seconds since 1970; 0 where that is not known.
    """

    update_id: int
    chat: dict[str, Any]
    user_id: int | None
    text: str
    date: int

    @property
    def chat_id(self) -> int:
        """The id of the chat."""
        return int(self.chat["id"])

    @property
    def name(self) -> str:
        """What the chat is called."""
        parts = [self.chat.get("title"), self.chat.get("first_name"), self.chat.get("last_name")]
        username = f"@{self.chat['username']}" if self.chat.get("username") else None
        return " ".join(part for part in [*parts, username] if part)


def look(bot: Bot, wait: int = 0) -> list[Seen]:
    """The waiting updates that have a chat, oldest first.

    Args:
        bot: whose updates.
        wait: seconds to wait for one where there is none.

    Raises:
        Conflict: another program polls, or a webhook is set.
        SyncBotError: as any call.
    """
    updates = bot.call("getUpdates", limit=BATCH, timeout=wait)
    return [seen for update in updates for seen in _seen(update)]


def _seen(update: dict[str, Any]) -> Iterator[Seen]:
    for value in update.values():
        if not isinstance(value, dict):
            continue
        message = value.get("message", value)  # a callback query holds the message
        chat = message.get("chat") if isinstance(message, dict) else None
        if isinstance(chat, dict) and "id" in chat:
            user = value.get("from") or value.get("user") or {}
            yield Seen(int(update["update_id"]), chat, user.get("id"), str(value.get("text") or ""), int(message.get("date") or value.get("date") or 0))
