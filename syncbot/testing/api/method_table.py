"""Which function carries out which method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncbot.testing.api import editing, membership, own_profile, sending, stickers
from syncbot.testing.api.content import ApiCall

Handler = Callable[[ApiCall], Any]

HANDLERS: dict[str, Handler] = {**sending.HANDLERS, **editing.HANDLERS, **membership.HANDLERS, **own_profile.HANDLERS, **stickers.HANDLERS}
"""By the method's name in Telegram's spelling; getUpdates and the webhook's methods, which are not about the world, are with the engine."""

COUNTED = frozenset(sending.HANDLERS) - {"sendChatAction", "sendMessageDraft", "sendRichMessageDraft"}
"""The methods that Telegram's limits on sending count."""
