"""The JSON of the Bot API with attributes: `update.message.text` beside `update["message"]["text"]`.

An object is the dict that it always was, of a class that knows which fields its type has. A class is made when the first object of its type is
met, and what stands inside an object becomes one when somebody looks at it.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from syncbot.regular import text_beside

_SCALARS = frozenset({"Integer", "String", "Boolean", "Float"})


class UnknownField(AttributeError):
    """A type has no such field. The nearest right name is looked for when somebody reads the text: `getattr` with a default never does."""

    def __str__(self) -> str:
        import difflib  # a misspelt name is the exception: a right one must not pay for the import

        fields = [known for each in type(self.obj).__mro__ for known, part in vars(each).items() if isinstance(part, property)]
        meant = difflib.get_close_matches(str(self.name), fields, n=1)
        return f"{super().__str__()}{f'; did you mean {meant[0]!r}?' if meant else ''}"


class Object(dict[str, Any]):
    """A JSON object of the Bot API, its fields as attributes too.

    A field that the type has and the object has not is None; one that it has not either is an AttributeError, unless it came all the same (Telegram's
    API is newer then). `["from"]` is `from_user`, and where a dict has a method of that name, the field ends in "_". An object is true, also an empty one.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        """What the class does not know."""
        try:
            value = self[name]
        except KeyError:
            pass
        else:
            return _shaped(Object, value)
        raise UnknownField(f"{type(self).__name__} has no field {name!r}", name=name, obj=self)


class Items(list[Any]):
    """A JSON array whose objects have their classes."""

    __slots__ = ()


class Update(Object):
    """What `effective_chat` and its like find in an update, whatever its kind."""

    __slots__ = ()

    @property
    def effective_message(self) -> Any:
        """The message that the update brings, or the one under the pressed button; None where there is none."""
        body = self._body()
        return body if isinstance(body, Message) else getattr(body, "message", None)

    @property
    def effective_chat(self) -> Any:
        """The chat that it happened in; None where there is none."""
        body = self._body()
        return getattr(body, "chat", None) or getattr(getattr(body, "message", None), "chat", None)

    @property
    def effective_user(self) -> Any:
        """The user who caused it; None where there is none."""
        body = self._body()
        return getattr(body, "from_user", None) or getattr(body, "user", None)

    @property
    def effective_sender(self) -> Any:
        """Who caused it: the chat in whose name somebody wrote, voted or reacted, else the user."""
        body = self._body()
        chats = (getattr(body, name, None) for name in ("sender_chat", "voter_chat", "actor_chat"))
        return next((chat for chat in chats if chat is not None), self.effective_user)

    def _body(self) -> Any:
        """What the update brings: the one field beside its id."""
        return next((getattr(self, name) for name, value in self.items() if type(value) is dict or isinstance(value, Object)), None)


class Message(Object):
    """A message, or what Telegram still says of one that bots cannot see any more."""

    __slots__ = ()

    @property
    def is_accessible(self) -> bool:
        """Whether bots can still see it; one under an old button they cannot, and its date is 0."""
        return self.get("date") != 0


_BASES: Mapping[str, type[Object]] = MappingProxyType({"Update": Update, "Message": Message})


def shape(returns: tuple[str, ...], value: Any) -> Any:
    """Give the result of a call the class of what its method returns; what holds no object stays as it is.

    Args:
        returns: the types that the method may return, the Bot API's words.
        value: the result as plain Python values; left as it is.
    """
    kind = next((name for name in (each.replace("Array of ", "") for each in returns) if name not in _SCALARS), None)
    return value if kind is None else _shaped(find_type(kind), value)


@functools.cache
def find_type(name: str) -> type[Object]:
    """The class of the Bot API's type of this name.

    Raises:
        KeyError: there is none.
    """
    fields = " ".join(map(_fields, name.split("|")))  # of two where a field holds either
    base = _BASES.get(name, Object)
    readers = {attribute_of(field): property(_reader(field, kind)) for field, _, kind in (word.partition(":") for word in fields.split())}
    return type(name, (base,), {"__slots__": (), "__module__": "syncbot.plain", "__doc__": f"{name}, as the Bot API has it.", **readers})


def attribute_of(field: str) -> str:
    """The name of a field as an attribute."""
    return "from_user" if field == "from" else f"{field}_" if hasattr(dict, field) else field


def type_names() -> list[str]:
    """The names of all types."""
    return re.findall(r"^(\w+):", _table(), re.MULTILINE)


@functools.cache
def _table() -> str:
    return text_beside(__spec__, "types.txt")


def _fields(name: str) -> str:
    """The fields of a type. The table stays one text, which takes less memory than its parts: few types are ever asked for."""
    found = re.search(rf"^{re.escape(name)}:(.*(?:\n .*)*)", _table(), re.MULTILINE)
    if found is None:
        raise KeyError(name)
    return found[1]


def _reader(field: str, kind: str) -> Callable[[Any], Any]:
    """What reads a field; a part that has a class of its own gets it when it is read first."""
    if not kind:
        return operator.methodcaller("get", field)

    def read(owner: Object) -> Any:
        value = owner.get(field)
        if type(value) is dict or type(value) is list:
            value = owner[field] = _shaped(find_type(kind), value)
        return value

    return read


def _shaped(kind: type[Object], value: Any) -> Any:
    if type(value) is dict:
        return kind(value)
    if type(value) is list:
        return Items(_shaped(kind, one) for one in value)
    return value
