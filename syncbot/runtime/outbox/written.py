"""How a queued call is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncbot.bounds import MOST_OF_A_CHAT
from syncbot.client.encode import Encoded


def write_down(encoded: Encoded) -> dict[str, Any]:
    """The parameters of a queued call: texts by name, and for each file, in order, what a form says of it."""
    files = {part.name: {"file": part.filename, "type": part.content_type} for part in encoded.files}
    return {**encoded.fields, **files}


def ordering_key(fields: Mapping[str, str]) -> str:
    """What is to stay in order: the calls that concern one chat, or one message sent by way of the bot."""
    return (fields.get("chat_id") or fields.get("inline_message_id") or "").lower()[:MOST_OF_A_CHAT]
