"""Turn Telegram's answers and updates into python-telegram-bot's objects.

This is where telegram is loaded, at the first answer that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import telegram

_PLAIN: dict[str, type] = {"Boolean": bool, "Integer": int, "String": str}
_SHOWN_CHARACTERS = 200

_TIME = range(2**35)
"""Seconds since 1970 that a datetime can hold."""
_PLAIN_MESSAGES = frozenset({"message", "edited_message", "channel_post", "edited_channel_post"})
_PLAIN_MESSAGE: Mapping[str, type] = MappingProxyType(
    {"message_id": int, "date": int, "edit_date": int, "chat": dict, "from": dict, "text": str, "entities": list, "message_thread_id": int}
)
_PLAIN_CHAT: Mapping[str, type] = MappingProxyType(
    {"id": int, "type": str, "title": str, "username": str, "first_name": str, "last_name": str, "is_forum": bool}
)
_PLAIN_USER: Mapping[str, type] = MappingProxyType(
    {"id": int, "is_bot": bool, "first_name": str, "last_name": str, "username": str, "language_code": str, "is_premium": bool}
)
_PLAIN_ENTITY: Mapping[str, type] = MappingProxyType({"type": str, "offset": int, "length": int, "url": str, "language": str})


class DecodeError(ValueError):
    """Telegram's answer, or an update, is not what its type says.

    Args:
        message: what does not fit.
        kind: the type that was expected, in the Bot API's words.
        raw: what came instead, as plain Python values.
    """

    def __init__(self, message: str, *, kind: str, raw: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.raw = raw


def decode(returns: Sequence[str], value: Any, bot: Any = None) -> Any:
    """Turn the result of a call into what its method promises; a message of text when somebody looks at it, see `decode_update`.

    Lists become tuples, as python-telegram-bot has them; an object whose type python-telegram-bot lacks stays a dict; fields that it lacks
    are in the object's `api_kwargs`.

    Args:
        returns: the types that the method may return, from the method's `MethodSpec`.
        value: the result as plain Python values; left as it is.
        bot: attached to the objects, for their shortcuts; None for none.

    Raises:
        DecodeError: the value is of none of these types.
    """
    kind = " or ".join(returns)
    for candidate in returns:
        if candidate == "Message" and _is_plain(value):
            return _decoded_later("Message")(_kept(value), bot)
        if _fits(candidate, value):
            return _guarded(candidate, value, bot)
    raise DecodeError(f"{kind} was expected, and {_shown_type(value)} came", kind=kind, raw=value)


def decode_update(raw: Any, bot: Any = None) -> telegram.Update:
    """Turn an update into a `telegram.Update`.

    Decoding takes longer than all the rest that is done with an update, and most of what a bot sees in a group it has no use for. So the
    commonest kind, a message of text, is decoded when somebody looks at it: until then it is an instance of a subclass, and from then on it is
    what `telegram.Update.de_json` returns. Only what is certain to be decoded waits; everything else is decoded here.

    Args:
        raw: the update as plain Python values; left as it is.
        bot: attached to the objects, for their shortcuts; None for none.

    Raises:
        DecodeError: it is not an update; `raw` holds it.
    """
    if not isinstance(raw, dict) or type(raw.get("update_id")) is not int:
        raise DecodeError("an update with an update_id was expected", kind="Update", raw=raw)
    if len(raw) == 2:
        kind, message = list(raw.items())[1]
        if kind in _PLAIN_MESSAGES and _is_plain(message):
            later: telegram.Update = _decoded_later("Update")({"update_id": raw["update_id"], kind: _kept(message)}, bot)
            return later
    update: telegram.Update = _guarded("Update", raw, bot)
    return update


def _is_plain(message: Any) -> bool:
    """Whether it is a message of text in which there is nothing that telegram could stumble over."""
    if type(message) is not dict or not _has_only(_PLAIN_MESSAGE, message):
        return False
    try:
        chat = message["chat"]
        if not (message["message_id"] and message["text"] and message["date"] in _TIME and chat["id"] and chat["type"]):
            return False
    except KeyError:
        return False
    user, entities = message.get("from"), message.get("entities", ())
    return (
        _has_only(_PLAIN_CHAT, chat)
        and (user is None or (_has_only(_PLAIN_USER, user) and "id" in user and "is_bot" in user and "first_name" in user))
        and message.get("edit_date", 0) in _TIME
        and all(type(one) is dict and _has_only(_PLAIN_ENTITY, one) and "type" in one and "offset" in one and "length" in one for one in entities)
    )


def _kept(message: dict[str, Any]) -> dict[str, Any]:
    """A plain message as it is now, whatever a handler does to its JSON before it looks at it."""
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


@cache
def _decoded_later(kind: str) -> Callable[[dict[str, Any], Any], Any]:
    """What makes objects that are decoded when somebody looks at them, of a class beneath one of telegram's; made when telegram is loaded."""
    import telegram

    real: Any = getattr(telegram, kind)
    slots = [name for each in real.__mro__ for name in getattr(each, "__slots__", ()) if name != "_frozen"] + ["_frozen"]
    become = vars(object)["__class__"].__set__

    class Later(real):  # type: ignore[misc]  # the class is only known now
        """An object that has no attribute yet: looking for one decodes it, and makes it one of telegram's like any other."""

        __slots__ = ()
        __class__ = property(lambda self: type(self._decode()))
        de_json, de_list = real.de_json, real.de_list  # found by way of an object, they make telegram's own too

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real(*args, **kwargs)  # type(update)(…)

        def _decode(self) -> Any:
            # Several threads may do so at once. The slot that holds what is to be decoded is filled last, and the class may be changed twice.
            waiting = object.__getattribute__(self, "_frozen")
            if type(waiting) is tuple:
                ready = _guarded(kind, *waiting)
                for name in slots:
                    object.__setattr__(self, name, getattr(ready, name))
            become(self, real)
            return self

        def __getattr__(self, name: str) -> Any:
            return getattr(self._decode(), name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(self._decode(), name, value)

        def __delattr__(self, name: str) -> None:
            delattr(self._decode(), name)

        def __eq__(self, other: object) -> bool:
            return bool(self._decode() == other)

        def __hash__(self) -> int:
            return hash(self._decode())

        def __reduce_ex__(self, protocol: Any) -> Any:
            return self._decode().__reduce_ex__(protocol)

        def __deepcopy__(self, memodict: Any) -> Any:
            return self._decode().__deepcopy__(memodict)

    Later.__name__ = Later.__qualname__ = kind

    def make(raw: dict[str, Any], bot: Any) -> Any:
        later = object.__new__(Later)
        object.__setattr__(later, "_frozen", (raw, bot))  # a slot that nobody but telegram's __setattr__ looks at
        return later

    return make


def _fits(kind: str, value: Any) -> bool:
    """Look at the outside of a value: its parts are looked at when it is decoded."""
    if kind.startswith("Array of "):
        return isinstance(value, list)
    return type(value) is _PLAIN.get(kind, dict)


def _guarded(kind: str, value: Any, bot: Any) -> Any:
    try:
        return _decoded(kind, _without_old_fields(value), bot)
    except MemoryError:
        raise
    except Exception as problem:
        # Whatever telegram's classes stumble over is a fault of the data; the text is theirs, the length is ours.
        text = str(problem)[:_SHOWN_CHARACTERS]
        raise DecodeError(f"{kind} cannot be decoded: {type(problem).__name__}: {text}", kind=kind, raw=value) from None


def _decoded(kind: str, value: Any, bot: Any) -> Any:
    if not _fits(kind, value):
        raise TypeError(f"{kind} was expected, and {_shown_type(value)} came")
    if kind.startswith("Array of "):
        return tuple(_decoded(kind.removeprefix("Array of "), item, bot) for item in value)
    if kind in _PLAIN:
        return value
    import telegram

    known = getattr(telegram, kind, None)
    return value if known is None else known.de_json(value, bot)


def _without_old_fields(value: Any) -> Any:
    """Give a poll's right answer its new name: python-telegram-bot warns of the old one, which servers still send, at every poll.

    A part that holds no such field is handed on as it is; nothing is changed in place.
    """
    if type(value) is list:
        items = [_without_old_fields(item) if type(item) in (dict, list) else item for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if type(value) is not dict:
        return value
    changed = {}
    for key, part in value.items():
        if type(part) in (dict, list) and (new := _without_old_fields(part)) is not part:
            changed[key] = new
    if "correct_option_id" not in value or "options" not in value:
        return value | changed if changed else value
    result = value | changed
    right = result.pop("correct_option_id")
    if right is not None:
        result.setdefault("correct_option_ids", [right])
    return result


def _shown_type(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
