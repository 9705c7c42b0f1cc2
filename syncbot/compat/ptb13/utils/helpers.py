"""`telegram.utils.helpers` of python-telegram-bot 13: texts, links and times."""

from __future__ import annotations

import datetime as dtm
import json
import re
import signal
import time
from collections import defaultdict
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from syncbot.compat.ptb13.defaults import DEFAULT_20, DEFAULT_FALSE, DEFAULT_NONE, DefaultValue

__all__ = [
    "ATTACHMENT_TYPES",
    "DEFAULT_20",
    "DEFAULT_FALSE",
    "DEFAULT_NONE",
    "DTM_UTC",
    "MESSAGE_TYPES",
    "UTC",
    "DefaultValue",
    "create_deep_linked_url",
    "decode_conversations_from_json",
    "decode_user_chat_data_from_json",
    "effective_message_type",
    "encode_conversations_to_json",
    "escape_markdown",
    "from_timestamp",
    "get_signal_name",
    "is_local_file",
    "localize",
    "mention_html",
    "mention_markdown",
    "to_float_timestamp",
    "to_timestamp",
]

Moment = float | dtm.timedelta | dtm.datetime | dtm.time
Conversations = dict[str, dict[tuple[Any, ...], Any]]

DTM_UTC = UTC = dtm.timezone.utc  # noqa: UP017  # the very object that a program may compare with

ATTACHMENT_TYPES = (
    *("audio", "game", "animation", "document", "photo", "sticker", "video", "voice", "video_note", "contact", "location", "venue", "invoice"),
    "successful_payment",
)
"""What `effective_attachment` was made of; Telegram has added to it since."""

MESSAGE_TYPES = (
    *("text", "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created"),
    *("supergroup_chat_created", "channel_chat_created", "message_auto_delete_timer_changed", "migrate_to_chat_id", "migrate_from_chat_id"),
    *("pinned_message", "poll", "dice", "passport_data", "proximity_alert_triggered", "voice_chat_scheduled", "voice_chat_started"),
    *("voice_chat_ended", "voice_chat_participants_invited", *ATTACHMENT_TYPES),
)
"""What `effective_message_type` looks for, in this order."""


def get_signal_name(signum: int) -> str:
    """The name of a signal, such as "SIGTERM"."""
    return signal.Signals(signum).name


def is_local_file(obj: str | Path | None) -> bool:
    """Whether this names a file that is there."""
    try:
        return obj is not None and Path(obj).is_file()
    except (OSError, ValueError):
        return False


def escape_markdown(text: str, version: int | str = 1, entity_type: str | None = None) -> str:
    """Put a backslash before what Markdown would take for its own.

    Args:
        text: any text.
        version: 1 for Telegram's Markdown, 2 for its MarkdownV2.
        entity_type: "pre", "code" or "text_link" where the text stands in one, which needs less in version 2.

    Raises:
        ValueError: there is no such version.
    """
    if int(version) not in (1, 2):
        raise ValueError("Markdown version must be either 1 or 2!")
    special = {"pre": r"\`", "code": r"\`", "text_link": r"\)"}.get(entity_type or "", r"_*[]()~`>#+-=|{}.!")
    if int(version) == 1:
        special = r"_*`["
    return "".join(f"\\{letter}" if letter in special else letter for letter in text)


def mention_html(user_id: int | str, name: str) -> str:
    """A link to a user, in HTML."""
    return f'<a href="tg://user?id={user_id}">{escape(name)}</a>'


def mention_markdown(user_id: int | str, name: str, version: int | str = 1) -> str:
    """A link to a user, in Markdown (1) or MarkdownV2 (2)."""
    return f"[{escape_markdown(name, version)}](tg://user?id={user_id})"


def create_deep_linked_url(bot_username: str, payload: str | None = None, group: bool = False) -> str:
    """A link that starts the bot with a payload, in a private chat, or in a group that its user picks.

    Raises:
        ValueError: the name is none of a bot's, or the payload is longer than 64 characters, or has others than A-Z, a-z, 0-9, _ and -.
    """
    if bot_username is None or len(bot_username) <= 3:
        raise ValueError("You must provide a valid bot_username.")
    if not payload:
        return f"https://t.me/{bot_username}"
    if len(payload) > 64:
        raise ValueError("The deep-linking payload must not exceed 64 characters.")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", payload):
        raise ValueError("Only the following characters are allowed for deep-linked URLs: A-Z, a-z, 0-9, _ and -")
    return f"https://t.me/{bot_username}?{'startgroup' if group else 'start'}={payload}"


def effective_message_type(entity: Any) -> str | None:
    """What a message, or an update's message, is: "text", "photo", "new_chat_members" and so on; None for what had no name then.

    Raises:
        TypeError: it is neither a message nor an update.
    """
    if not hasattr(entity, "message_id") and not hasattr(entity, "effective_message"):
        raise TypeError(f"entity is not Message or Update (got: {type(entity)})")
    message = getattr(entity, "effective_message", entity)
    return next((name for name in MESSAGE_TYPES if getattr(message, name, None)), None)


def localize(moment: dtm.datetime, zone: dtm.tzinfo) -> dtm.datetime:
    """A time of day in a zone, which may be one of pytz, whose zones want to be asked."""
    placed: dtm.datetime = zone.localize(moment) if hasattr(zone, "localize") else moment.replace(tzinfo=zone)
    return placed


def to_float_timestamp(time_object: Moment, reference_timestamp: float | None = None, tzinfo: dtm.tzinfo | None = None) -> float:
    """A time in seconds since 1970.

    Args:
        time_object: seconds or a timedelta from the reference on; a datetime; or a time of day, of which the next one is meant.
        reference_timestamp: seconds since 1970; None for now.
        tzinfo: the zone of what has none; None for UTC.

    Raises:
        TypeError: it is none of these.
        ValueError: it is a datetime, and a reference was given.
    """
    if reference_timestamp is not None and isinstance(time_object, dtm.datetime):
        raise ValueError("t is an (absolute) datetime while reference_timestamp is not None")
    reference = time.time() if reference_timestamp is None else reference_timestamp
    if isinstance(time_object, dtm.timedelta):
        return reference + time_object.total_seconds()
    if isinstance(time_object, (int, float)):
        return reference + time_object
    if isinstance(time_object, dtm.datetime):
        return (time_object if time_object.tzinfo else localize(time_object, tzinfo or UTC)).timestamp()
    if isinstance(time_object, dtm.time):
        zone = time_object.tzinfo or tzinfo or UTC
        now = dtm.datetime.fromtimestamp(reference, tz=zone)
        today = dtm.datetime.combine(now.date(), time_object)
        at = today if today.tzinfo else localize(today, zone)
        return (at if at.timetz() >= now.timetz() else at + dtm.timedelta(days=1)).timestamp()
    raise TypeError(f"Unable to convert {type(time_object).__name__} object to timestamp")


def to_timestamp(dt_obj: Moment | None, reference_timestamp: float | None = None, tzinfo: dtm.tzinfo | None = None) -> int | None:
    """The same in whole seconds; None stays None."""
    return None if dt_obj is None else int(to_float_timestamp(dt_obj, reference_timestamp, tzinfo))


def from_timestamp(unixtime: int | None, tzinfo: dtm.tzinfo | None = UTC) -> dtm.datetime | None:
    """The time of day of seconds since 1970, in a zone; with None for the zone in UTC, without saying so."""
    if unixtime is None:
        return None
    moment = dtm.datetime.fromtimestamp(unixtime, tz=tzinfo or UTC)
    return moment if tzinfo is not None else moment.replace(tzinfo=None)


def encode_conversations_to_json(conversations: Mapping[str, Mapping[tuple[Any, ...], Any]]) -> str:
    """The states of conversations as JSON, whose keys are texts: a tuple is written as JSON itself."""
    return json.dumps({name: {json.dumps(key): state for key, state in states.items()} for name, states in conversations.items()})


def decode_conversations_from_json(json_string: str) -> Conversations:
    """What `encode_conversations_to_json` has written."""
    return {name: {tuple(json.loads(key)): state for key, state in states.items()} for name, states in json.loads(json_string).items()}


def decode_user_chat_data_from_json(data: str) -> defaultdict[int, dict[Any, Any]]:
    """Data by user or by chat out of JSON: ids are numbers again, and so are keys within that look like one."""
    decoded: defaultdict[int, dict[Any, Any]] = defaultdict(dict)
    for owner, values in json.loads(data).items():
        decoded[int(owner)] = {_number(key): value for key, value in values.items()}
    return decoded


def _number(key: str) -> int | str:
    try:
        return int(key)
    except ValueError:
        return key
