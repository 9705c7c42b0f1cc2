"""Messages of text, the commonest updates: the objects that python-telegram-bot makes of them, in a quarter of its time.

Its decoder asks for each of the hundred fields that a message may have. Here it decodes one message, once, and the others are cast from that one:
all its fields, with a message's own values in those that it has. Before the first is handed out, some are compared with what python-telegram-bot
makes itself, field by field; where a version of it would make something else, nothing is cast.
"""

from __future__ import annotations

import datetime as dtm
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

_TIME = range(2**35)
"""Seconds since 1970 that a datetime can hold."""
_MESSAGE: Mapping[str, type] = MappingProxyType(
    {"message_id": int, "date": int, "edit_date": int, "chat": dict, "from": dict, "text": str, "entities": list, "message_thread_id": int}
)
_CHAT: Mapping[str, type] = MappingProxyType({"id": int, "type": str, "title": str, "username": str, "first_name": str, "last_name": str, "is_forum": bool})
_USER: Mapping[str, type] = MappingProxyType(
    {"id": int, "is_bot": bool, "first_name": str, "last_name": str, "username": str, "language_code": str, "is_premium": bool}
)
_ENTITY: Mapping[str, type] = MappingProxyType({"type": str, "offset": int, "length": int, "url": str, "language": str})

_SAMPLES: Mapping[str, Any] = MappingProxyType(
    {
        "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "a"},
        "edited_message": {
            "message_id": 2,
            "date": 1_700_000_000,
            "edit_date": 1_700_000_001,
            "message_thread_id": 4,
            "chat": {"id": -2, "type": "new", "first_name": "B", "last_name": "C", "is_forum": True},
            "from": {"id": 2, "is_bot": True, "first_name": "B", "last_name": "C", "username": "b", "language_code": "en", "is_premium": True},
            "text": "b",
            "entities": [{"type": "text_link", "offset": 0, "length": 1, "url": "u"}, {"type": "new", "offset": 0, "length": 1, "language": "l"}],
        },
        "channel_post": {"message_id": 3, "date": 1_700_000_000, "chat": {"id": -3, "type": "channel", "title": "D", "username": "d"}, "text": "d"},
        "edited_channel_post": {
            "message_id": 4,
            "date": 1_700_000_000,
            "chat": {"id": 4, "type": "private"},
            "from": {"id": 4, "is_bot": False, "first_name": "E"},
            "text": "/e",
            "entities": [{"type": "bot_command", "offset": 0, "length": 2}],
        },
    }
)
"""Every field that may be there, and every one that may be missing."""


def load() -> None:
    """Load telegram, and see to what is cast from it."""
    _caster()


def plain_update(raw: dict[str, Any], bot: Any) -> Any:
    """The `telegram.Update` of a message of text; None where it is something else, or where only telegram can make it."""
    if len(raw) != 2:
        return None
    kind, message = list(raw.items())[1]
    if kind not in _SAMPLES or not _is_plain(message) or (caster := _caster()) is None or getattr(bot, "defaults", None):
        return None
    return caster.update(raw["update_id"], kind, message, bot)


def plain_message(raw: Any, bot: Any) -> Any:
    """The `telegram.Message` of a message of text; None where it is something else, or where only telegram can make it."""
    if not _is_plain(raw) or (caster := _caster()) is None or getattr(bot, "defaults", None):
        return None
    return caster.message(raw, bot)


def _is_plain(message: Any) -> bool:
    """Whether it is a message of text in which there is nothing that telegram could stumble over."""
    if type(message) is not dict or not _has_only(_MESSAGE, message):
        return False
    try:
        chat = message["chat"]
        if not (message["message_id"] and message["text"] and message["date"] in _TIME and chat["id"] and chat["type"]):
            return False
    except KeyError:
        return False
    user, entities = message.get("from"), message.get("entities", ())
    return (
        _has_only(_CHAT, chat)
        and (user is None or (_has_only(_USER, user) and "id" in user and "is_bot" in user and "first_name" in user))
        and message.get("edit_date", 0) in _TIME
        and all(type(one) is dict and _has_only(_ENTITY, one) and "type" in one and "offset" in one and "length" in one for one in entities)
    )


def _has_only(fields: Mapping[str, type], value: dict[str, Any]) -> bool:
    """Whether an object has no other fields than these, of these types."""
    for name, part in value.items():  # noqa: SIM110  # all() takes twice as long, and this is asked of every update
        if type(part) is not fields.get(name):
            return False
    return True


class _Mould:
    """Casts objects of the class of a pattern, with all its values but those that are given."""

    def __init__(self, pattern: Any) -> None:
        self._kind = type(pattern)
        slots = {name: vars(each)[name] for each in self._kind.__mro__ for name in getattr(each, "__slots__", ())}
        self._values = [(slot.__set__, slot.__get__(pattern)) for slot in slots.values()]
        self._put = {name: slot.__set__ for name, slot in slots.items()}

    def cast(self, given: Mapping[str, Any]) -> Any:
        made = object.__new__(self._kind)
        for put, value in self._values:
            put(made, value)
        for name, value in given.items():
            self._put[name](made, value)
        return made


class _Caster:
    """Casts plain messages, with what belongs to them."""

    def __init__(self) -> None:
        from telegram import Chat, Message, MessageEntity, Update, User
        from telegram.constants import ChatType, MessageEntityType

        self._chat_types: dict[str, Any] = {str(member.value): member for member in ChatType}
        self._entity_types: dict[str, Any] = {str(member.value): member for member in MessageEntityType}
        self._update = _Mould(Update(1))
        self._message = _Mould(Message(1, dtm.datetime.fromtimestamp(1, tz=dtm.UTC), Chat(1, "private")))
        self._chat = _Mould(Chat(1, "private"))
        self._user = _Mould(User(1, "A", False))
        self._entity = _Mould(MessageEntity("bold", 0, 1))

    def update(self, id: int, kind: str, message: dict[str, Any], bot: Any) -> Any:
        return self._update.cast({"update_id": id, kind: self.message(message, bot), "_id_attrs": (id,), "_bot": bot})

    def message(self, raw: dict[str, Any], bot: Any) -> Any:
        given = raw.copy()
        chat = raw["chat"]
        type = self._chat_types.get(chat["type"], chat["type"])
        given["chat"] = self._chat.cast({**chat, "type": type, "_id_attrs": (chat["id"],), "_bot": bot})
        if (user := given.pop("from", None)) is not None:
            given["from_user"] = self._user.cast({**user, "_id_attrs": (user["id"],), "_bot": bot})
        if "entities" in raw:
            given["entities"] = tuple(self._cast_entity(entity, bot) for entity in raw["entities"])
        for name in ("date", "edit_date"):
            if name in raw:
                given[name] = dtm.datetime.fromtimestamp(raw[name], tz=dtm.UTC)
        given["_id_attrs"] = (raw["message_id"], given["chat"])
        given["_bot"] = bot
        return self._message.cast(given)

    def _cast_entity(self, raw: dict[str, Any], bot: Any) -> Any:
        type = self._entity_types.get(raw["type"], raw["type"])
        return self._entity.cast({**raw, "type": type, "_id_attrs": (type, raw["offset"], raw["length"]), "_bot": bot})


@cache
def _caster() -> _Caster | None:
    """None where this version of telegram makes something else than what is cast; made when telegram is loaded."""
    import telegram

    bot: Any = object()
    try:
        caster = _Caster()
        alike = all(
            _same(caster.update(1, kind, sample, bot), telegram.Update.de_json({"update_id": 1, kind: sample}, bot)) for kind, sample in _SAMPLES.items()
        )
    except Exception:  # its objects are built in another way
        return None
    return caster if alike else None


def _same(one: Any, other: Any) -> bool:
    """Whether two values are alike in all that they are made of; telegram's own comparison looks at ids only."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    names = [name for each in type(one).__mro__ for name in getattr(each, "__slots__", ()) if type(one).__module__.startswith("telegram._")]
    return all(_same(getattr(one, name), getattr(other, name)) for name in names) and (bool(names) or bool(one == other))
