"""Typical queued calls, as a user writes them: `mypy --strict` must take every one, and so must the outbox itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_type

import telegram

from syncbot import Outbox


def calls(outbox: Outbox, path: Path) -> None:
    """Messages, files, times."""
    assert_type(outbox.send_message(1, "hi"), int)
    outbox.send_message(chat_id="@channel", text="hi", reply_to_message_id=5, ttl=60)
    outbox.send_message(1, "hi", ttl=timedelta(hours=1), not_before=datetime(2040, 1, 1, tzinfo=UTC))
    outbox.send_message(1, "hi", not_before=timedelta(minutes=5), api_kwargs={"newer": 1})
    outbox.send_photo(1, path, "caption", not_before=2_000_000_000.0)
    outbox.send_media_group(1, [{"type": "photo", "media": path}, telegram.InputMediaPhoto("file-id")])
    outbox.edit_message_text("hi", 1, 2, reply_markup=telegram.InlineKeyboardMarkup([]))
    outbox.delete_message(1, 2)
    assert_type(outbox.call("sendMessage", chat_id=1, text="hi", ttl=60), int)


def mistakes(outbox: Outbox) -> None:
    """What a checker must refuse: were it to take one of these, its ignore would be unused, which is an error too."""
    outbox.send_message(1)  # type: ignore[call-arg] # the text is missing
    outbox.send_message(1, "hi", timeout=5)  # type: ignore[call-arg] # it is not made now
    outbox.get_me()  # type: ignore[attr-defined] # nobody would see the answer
    outbox.send_message(1, "hi").text  # type: ignore[attr-defined] # noqa: B018 - a number has no text, and the checker must say so
