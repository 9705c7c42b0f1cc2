"""Which function carries out which method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncbot.testing import methods_bot, methods_chats, methods_edit, methods_send
from syncbot.testing.content import Call

Handler = Callable[[Call], Any]

HANDLERS: dict[str, Handler] = {**methods_send.HANDLERS, **methods_edit.HANDLERS, **methods_chats.HANDLERS, **methods_bot.HANDLERS}
"""By the method's name in Telegram's spelling; getUpdates and the webhook's methods, which are not about the world, are with the engine."""

COUNTED = frozenset(name for name in methods_send.HANDLERS if name != "sendChatAction")
"""The methods that Telegram's limits on sending count."""
