"""Which chats the updates come from that wait at Telegram; looking does not confirm them, so the bot gets them all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncbot.cli.console.asking import ask_for, nonsense

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

BATCH = 100
"""How many waiting updates can be looked at: a look at later ones would confirm these."""


@dataclass(frozen=True)
class WaitingUpdate:
    """One update that has a chat.

    Args:
        update_id: its id.
        chat_id: the id of the chat.
        chat: the Bot API Chat.
        user_id: who caused it, where that is known.
        text: the text of the message, where it is one.
        date: when, in seconds since 1970; 0 where that is not known.
    """

    update_id: int
    chat_id: int
    chat: dict[str, Any]
    user_id: int | None
    text: str
    date: int

    @property
    def name(self) -> str:
        """What the chat is called."""
        username = f"@{self.chat['username']}" if self.chat.get("username") else None
        parts = [self.chat.get("title"), self.chat.get("first_name"), self.chat.get("last_name"), username]
        return " ".join(str(part) for part in parts if part)


def waiting_updates(bot: Bot, wait: int = 0) -> list[WaitingUpdate]:
    """The waiting updates that have a chat, oldest first.

    Args:
        bot: whose updates.
        wait: seconds to wait for one where there is none.

    Raises:
        Conflict: another program polls, or a webhook is set.
        SyncBotError: as any call.
    """
    updates = ask_for(list, bot, "getUpdates", limit=BATCH, timeout=wait)
    try:
        return [seen for update in updates for seen in _read(update)]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise nonsense("getUpdates") from None


def _read(update: dict[str, Any]) -> Iterator[WaitingUpdate]:
    for value in update.values():
        if not isinstance(value, dict):
            continue
        message = value.get("message", value)  # a callback query holds the message
        chat = message.get("chat") if isinstance(message, dict) else None
        if isinstance(chat, dict) and "id" in chat:
            user = value.get("from") or value.get("user") or {}
            user_id = int(user["id"]) if user else None
            date = int(message.get("date") or value.get("date") or 0)
            yield WaitingUpdate(int(update["update_id"]), int(chat["id"]), chat, user_id, str(value.get("text") or ""), date)
