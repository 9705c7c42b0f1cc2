"""What an update says of itself, read from its JSON: no type is loaded, and no input, however hostile, raises anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeGuard

from syncbot.plain.objects import Object
from syncbot.runtime.handling.kinds import KINDS, SERVICE_FIELDS, Kind

KIND_BY_NAME: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in KINDS})
"""The kinds of updates by name."""
_QUERY_IDS = {"guest_message": "guest_query_id", "chat_join_request": "query_id"}
_QUERIES = frozenset({"inline_query", "callback_query", "shipping_query", "pre_checkout_query"})
_IN_TOPICS = frozenset({"stopped_message_generation"})
"""Kinds whose thread is always one that can be sent to."""
_EMPTY: Mapping[Any, Any] = MappingProxyType({})
_ANSWERING_KINDS = frozenset({"message", "business_message"})


def kind_of(raw: object) -> str | None:
    """The kind of an update: "message", "callback_query", …

    One that is newer than the table is told by the first field beside update_id; None where there is no such field.
    """
    if not _is_mapping(raw):
        return None
    for name in raw:
        if name in KIND_BY_NAME and raw[name] is not None:
            found: str = name
            return found
    return next((name for name in raw if isinstance(name, str) and name != "update_id"), None)


def user_id_of(raw: object) -> int | None:
    """The id of the user who caused an update.

    None where there is none, and also where an update claims to be of several kinds: it cannot come from Telegram, and whoever asks who it is
    from must not be fooled. In a kind that is newer than the table only `from` counts; throughout the Bot API that is the sender.
    """
    return _user_id(raw, kind_of(raw))


def _user_id(raw: object, kind: str | None) -> int | None:
    if kind is None or _is_ambiguous(raw):
        return None
    known = KIND_BY_NAME.get(kind)
    return _id(_walk(raw, kind, *(known.user if known else ("from",)))) if known is None or known.user else None


def _chat_id(raw: object, kind: str | None) -> int | None:
    """The id of the chat that an update happened in, or None. A guest message has none: see `Kind`."""
    if kind is None:
        return None
    known = KIND_BY_NAME.get(kind)
    if known is None:
        return _id(_walk(raw, kind, "chat"))
    return _id(_walk(raw, kind, *known.chat)) if known.chat else None


def order_key(raw: object) -> str:
    """What an update is kept in order by: its chat's id as text, else its user's (that of their private chat with the bot), else ""."""
    kind = kind_of(raw)
    chat = _chat_id(raw, kind)
    if chat is None:
        chat = _user_id(raw, kind)
    return "" if chat is None else str(chat)


def album_of(raw: object, kinds: Collection[str]) -> str:
    """The album (media group) of which an update of one of these kinds brings a message; "" for none."""
    kind = kind_of(raw) if kinds else None
    found = _walk(raw, kind, "media_group_id") if kind in kinds else None
    return found if isinstance(found, str) and found.isprintable() else ""  # zeros and lone surrogates are for no database


def is_answer(raw: object) -> bool:
    """Whether an update can be the answer to a question: a new message that a person wrote, not one that tells of an event in the chat."""
    kind = kind_of(raw)
    message = _walk(raw, kind) if kind in _ANSWERING_KINDS else None
    return _is_mapping(message) and SERVICE_FIELDS.isdisjoint(message)


def command_of(raw: object) -> str | None:
    """The command that a new message begins with, in lower case and without its slash and its bot; None where it begins with none."""
    kind = kind_of(raw)
    message = _walk(raw, kind) if kind in _ANSWERING_KINDS else None
    text, entities = _text(_walk(message, "text")), _walk(message, "entities")
    for entity in entities if text is not None and isinstance(entities, list) else ():
        length = _int(_walk(entity, "length"))
        if _walk(entity, "type") == "bot_command" and _walk(entity, "offset") == 0 and length is not None and text is not None:
            return text[1:length].partition("@")[0].lower()
    return None


class ReplyTarget(NamedTuple):
    """What an answer to an update has to name; None for what the update does not say.

    Args:
        kind: of the update; "" where there is no update.
        chat_id: the chat that it happened in.
        reply_chat_id: the chat that a reply goes to: that chat; for a request to join and for what happens outside of chats, the private
            chat with the user.
        user_id: the user who caused it.
        message_id: the message that it is about: the message itself, or the one under the pressed button.
        ephemeral_message_id: the same where one user of a group alone sees it; such a message has no other id.
        receiver_user_id: who alone sees it: the bot itself, where a user wrote it.
        inline_message_id: the same for a message that was sent by way of the bot's inline mode.
        message_thread_id: the forum topic; not the thread of replies in an ordinary group, which cannot be sent to.
        direct_messages_topic_id: the topic in the direct messages of a channel.
        business_connection_id: the business account that the bot acts for.
        query_id: the query that waits to be answered.
    """

    kind: str = ""
    chat_id: int | None = None
    reply_chat_id: int | None = None
    user_id: int | None = None
    message_id: int | None = None
    ephemeral_message_id: int | None = None
    receiver_user_id: int | None = None
    inline_message_id: str | None = None
    message_thread_id: int | None = None
    direct_messages_topic_id: int | None = None
    business_connection_id: str | None = None
    query_id: str | None = None


NO_TARGET = ReplyTarget()
"""Where there is no update."""


def target_of(raw: object) -> ReplyTarget:
    """Read what an answer to an update has to name."""
    kind = kind_of(raw)
    if kind is None:
        return NO_TARGET
    payload = _object(_walk(raw, kind))
    about = _object(payload.get("message")) if kind == "callback_query" else payload
    chat_id, user_id = _chat_id(raw, kind), _user_id(raw, kind)
    reply_chat_id = _int(payload.get("user_chat_id"))
    if reply_chat_id is None:
        reply_chat_id = user_id if chat_id is None and kind != "guest_message" else chat_id
    return ReplyTarget(
        kind=kind,
        chat_id=chat_id,
        reply_chat_id=reply_chat_id,
        user_id=user_id,
        message_id=_int(about.get("message_id")) or None,
        ephemeral_message_id=_int(about.get("ephemeral_message_id")),
        receiver_user_id=_id(about.get("receiver_user")),
        inline_message_id=_text(payload.get("inline_message_id")),
        message_thread_id=_int(about.get("message_thread_id")) if about.get("is_topic_message") is True or kind in _IN_TOPICS else None,
        direct_messages_topic_id=_int(_walk(about, "direct_messages_topic", "topic_id")),
        business_connection_id=_text(about.get("business_connection_id")),
        query_id=_text(payload.get(_QUERY_IDS.get(kind, "id"))) if kind in _QUERIES or kind in _QUERY_IDS else None,
    )


def job_target(chat_id: int | None, user_id: int | None) -> ReplyTarget:
    """The same for a job with a chat or a user; a private chat has the id of its user."""
    chat = user_id if chat_id is None else chat_id
    user = chat_id if user_id is None and chat_id is not None and chat_id > 0 else user_id
    return ReplyTarget(chat_id=chat, reply_chat_id=chat, user_id=user)


def ordered_kinds(names: Iterable[str]) -> list[str]:
    """Put kinds into the table's order, with those that it does not have at the end."""
    wanted = set(names)
    return [kind.name for kind in KINDS if kind.name in wanted] + sorted(wanted.difference(KIND_BY_NAME))


def misspelt_kind(name: str) -> str | None:
    """The kind that one which the table does not have was probably meant to be; None where it may be a newer one."""
    if name in KIND_BY_NAME:
        return None
    import difflib  # a misspelt name is the exception: a right one must not pay for the import

    return next(iter(difflib.get_close_matches(name, KIND_BY_NAME, n=1)), None)


_MESSAGES = tuple(kind.name for kind in KINDS if kind.type == "Message")


def message_of(update: Any) -> Any:
    """The message that an update brings, or the one under a pressed button; None where there is none.

    Not `update.effective_message`: that warns of a message under a button that has become inaccessible.
    """
    found = next((message for name in _MESSAGES if (message := getattr(update, name, None)) is not None), None)
    return found if found is not None else getattr(getattr(update, "callback_query", None), "message", None)


def field_of(owner: Any, name: str) -> Any:
    """A field of an object, python-telegram-bot's or ours; None where it is missing.

    What python-telegram-bot's types lack is among their `api_kwargs`, as JSON; that comes back with attributes.
    """
    found = getattr(owner, "from_user" if name == "from" else name, None)
    if found is not None:
        return found
    newer = owner if isinstance(owner, Object) else getattr(owner, "api_kwargs", None)
    found = newer.get(name) if newer else None
    return Object(found) if type(found) is dict else found


def field_reader(*path: str) -> Callable[[Any], Any]:
    """Read fields one inside the other, by the Bot API's names; None where one is missing."""

    def read(update: Any) -> Any:
        for step in path:
            update = field_of(update, step)
        return update

    return read


def _is_ambiguous(raw: object) -> bool:
    # Two fields are an id and one kind; that is what nearly every update has.
    return _is_mapping(raw) and (len(raw) != 2 or "update_id" not in raw) and sum(name in KIND_BY_NAME and raw[name] is not None for name in raw) > 1


def _walk(value: object, *steps: str | None) -> Any:
    for step in steps:
        if not _is_mapping(value):
            return None
        value = value.get(step)
    return value


def _object(value: object) -> Mapping[Any, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if _is_mapping(value) else _EMPTY


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Whether it is a JSON object; what came from JSON is told without asking the abstract class, which is slow and asked often."""
    return type(value) is dict or (value is not None and isinstance(value, Mapping))


def _id(owner: Any) -> int | None:
    return _int(_walk(owner, "id"))


def _int(value: Any) -> int | None:
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
