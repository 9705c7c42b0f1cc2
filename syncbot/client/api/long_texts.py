"""Texts that are longer than a message: sent in several, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncbot.errors import ApiError, NetworkError
from syncbot.text import split

if TYPE_CHECKING:
    from collections.abc import Callable

    import telegram

_ONLY_FIRST = ("reply_parameters", "reply_to_message_id", "allow_sending_without_reply", "message_effect_id")
_ONLY_LAST = ("reply_markup",)


def send_long(send: Callable[..., telegram.Message], chat_id: int | str, text: str, parse_mode: str | None, options: dict[str, Any]) -> list[telegram.Message]:
    """Send a text of any length with `send`, which is `Bot.send_message`; see `Bot.send_long`."""
    if options.get("entities"):
        raise TypeError("send_long() splits texts with a parse_mode, not with entities; give the text as HTML or MarkdownV2")
    pieces = split(text, parse_mode) or [text]  # what Telegram says of a text that shows nothing is clearer than silence
    sent: list[telegram.Message] = []
    for place, piece in enumerate(pieces):
        left_out = (*(_ONLY_FIRST if place else ()), *(_ONLY_LAST if place < len(pieces) - 1 else ()))
        given = {name: value for name, value in options.items() if name not in left_out}
        try:
            sent.append(send(chat_id, piece, parse_mode, **given))
        except (ApiError, NetworkError) as error:
            error.sent = tuple(sent)
            if len(pieces) > 1:
                ids = ", ".join(str(message.message_id) for message in sent)
                error.add_note(f"send_long: piece {place + 1} of {len(pieces)} failed; sent before it: {f'message {ids}' if ids else 'nothing'}")
            raise
    return sent
