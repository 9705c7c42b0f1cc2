"""Messages of text, the commonest updates: the objects that python-telegram-bot makes of them, in a quarter of its time.

Its decoder asks for each of the hundred fields that a message may have. Here it decodes one message, once, and the others are cast from that one:
all its fields, with a message's own values in those that it has. Before the first is handed out, some are compared with what python-telegram-bot
makes itself, field by field; where a version of it would make something else, nothing is cast.

An update is cast when somebody looks at it: many handlers answer by way of their context and never do. Until then it is an instance of a subclass.
"""

from __future__ import annotations

import datetime as dtm
from collections.abc import Callable, Mapping
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
    return caster.later(raw["update_id"], kind, _kept(message), bot)


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


def _kept(message: dict[str, Any]) -> dict[str, Any]:
    """A plain message as it is now, whatever a handler does to its JSON before it looks at the update."""
    kept = message.copy()
    kept["chat"] = message["chat"].copy()
    if "from" in message:
        kept["from"] = message["from"].copy()
    if "entities" in message:
        kept["entities"] = [entity.copy() for entity in message["entities"]]
    return kept


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
        self._freeze = slots.pop("_frozen").__set__
        self._values = [(slot.__set__, slot.__get__(pattern)) for slot in slots.values()]
        self._put = {name: slot.__set__ for name, slot in slots.items()}

    def cast(self, given: Mapping[str, Any]) -> Any:
        made = object.__new__(self._kind)
        self.fill(made, given)
        return made

    def fill(self, made: Any, given: Mapping[str, Any]) -> None:
        """Give an object all its values; that it is frozen comes last."""
        for put, value in self._values:
            put(made, value)
        for name, value in given.items():
            self._put[name](made, value)
        self._freeze(made, True)


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
        self.later = _make_later(self)

    def update(self, id: int, kind: str, message: dict[str, Any], bot: Any) -> Any:
        return self._update.cast(self._of_update(id, kind, message, bot))

    def fill_update(self, made: Any, id: int, kind: str, message: dict[str, Any], bot: Any) -> None:
        """Make an update of an object that has no values yet."""
        self._update.fill(made, self._of_update(id, kind, message, bot))

    def _of_update(self, id: int, kind: str, message: dict[str, Any], bot: Any) -> dict[str, Any]:
        return {"update_id": id, kind: self.message(message, bot), "_id_attrs": (id,), "_bot": bot}

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


def _make_later(caster: _Caster) -> Callable[[int, str, dict[str, Any], Any], Any]:
    """What makes updates that are cast when somebody looks at them."""
    from telegram import Update

    real: Any = Update
    become = vars(object)["__class__"].__set__

    class Later(real):  # type: ignore[misc]  # mypy is told nothing of the class, whose rules this one bends
        """An update that has no attribute yet: looking for one casts it, and makes it one of telegram's like any other."""

        __slots__ = ()
        __class__ = property(lambda self: type(self._cast()))
        de_json, de_list = real.de_json, real.de_list  # found by way of an object, they make telegram's own too

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return Update(*args, **kwargs)  # type(update)(…)

        def _cast(self) -> Any:
            # Several threads may do so at once. The slot that holds what is to be cast is filled last, and the class may be changed twice.
            waiting = object.__getattribute__(self, "_frozen")
            if type(waiting) is tuple:
                caster.fill_update(self, *waiting)
            become(self, Update)
            return self

        def __getattr__(self, name: str) -> Any:
            return getattr(self._cast(), name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(self._cast(), name, value)

        def __delattr__(self, name: str) -> None:
            delattr(self._cast(), name)

        def __eq__(self, other: object) -> bool:
            return bool(self._cast() == other)

        def __hash__(self) -> int:
            return hash(self._cast())

        def __reduce_ex__(self, protocol: Any) -> Any:
            return self._cast().__reduce_ex__(protocol)

        def __deepcopy__(self, memodict: Any) -> Any:
            return self._cast().__deepcopy__(memodict)

    Later.__name__ = Later.__qualname__ = "Update"

    def make(id: int, kind: str, message: dict[str, Any], bot: Any) -> Any:
        later = object.__new__(Later)
        object.__setattr__(later, "_frozen", (id, kind, message, bot))  # a slot that nobody but telegram's __setattr__ looks at
        return later

    return make


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
