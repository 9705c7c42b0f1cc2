"""Python values as JSON and back: what user_data of python-telegram-bot 13 mostly holds, and dataclasses; anything else only as a pickle, when asked for.

JSON's own values stay as they are, so that a handler of syncbot's own reads them in `context.user_data` too.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dtm
import decimal
import enum
import math
import pickle
import sys
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from syncbot.compat.ptb13.persistence.bots import is_bot

TAG = "ptb13"
"""The key by which an object of JSON is known as something else."""

_FACTORIES = {kind.__name__: kind for kind in (dict, list, set, int, str, float, bool, tuple)}
_LISTS: dict[str, Callable[[Any], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}
_TEXTS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "datetime": (dtm.datetime, dtm.datetime.isoformat, dtm.datetime.fromisoformat),
    "date": (dtm.date, dtm.date.isoformat, dtm.date.fromisoformat),
    "time": (dtm.time, dtm.time.isoformat, dtm.time.fromisoformat),
    "timedelta": (dtm.timedelta, lambda span: repr(span.total_seconds()), lambda text: dtm.timedelta(seconds=float(text))),
    "decimal": (decimal.Decimal, str, decimal.Decimal),
    "uuid": (uuid.UUID, str, uuid.UUID),
    "float": (float, repr, float),
    "bytes": (bytes, lambda data: base64.b64encode(data).decode(), base64.b64decode),
}


class NotStorable(TypeError):
    """A value of a type that is kept only as a pickle."""


class Codec:
    """Writes and reads values.

    Args:
        bot: stands wherever a bot stood.
        pickled: keep what is nothing of this as a pickle, and read such ones: a pickle runs the code of whoever wrote it.
    """

    def __init__(self, bot: Any = None, pickled: bool = False) -> None:
        self._bot = bot
        self._pickled = pickled

    def encode(self, value: Any) -> Any:
        """A value as JSON.

        Raises:
            NotStorable: it, or something in it, could only be pickled, and is not to be.
        """
        if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
            return value
        if type(value) is list:
            return [self.encode(item) for item in value]
        if type(value) is dict and TAG not in value and all(type(key) is str for key in value):
            return {key: self.encode(item) for key, item in value.items()}
        return self._tagged(value)

    def _tagged(self, value: Any) -> dict[str, Any]:
        kind = type(value)
        if kind in (dict, OrderedDict) or (kind is defaultdict and (value.default_factory is None or value.default_factory in _FACTORIES.values())):
            factory = getattr(getattr(value, "default_factory", None), "__name__", None)
            return {
                TAG: kind.__name__,
                "items": [[self.encode(key), self.encode(item)] for key, item in value.items()],
                **({"factory": factory} if factory else {}),
            }
        if kind.__name__ in _LISTS and kind in (tuple, set, frozenset, deque):
            return {TAG: kind.__name__, "items": [self.encode(item) for item in value]}
        for name, (known, write, _) in _TEXTS.items():
            if kind is known:
                return {TAG: name, "text": write(value)}
        if is_bot(value):
            return {TAG: "bot"}
        if isinstance(value, enum.Enum):
            return {TAG: "enum", "class": _name_of(kind), "name": value.name}
        if dataclasses.is_dataclass(value) and kind.__qualname__.isidentifier():
            fields = {field.name: self.encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
            return {TAG: "dataclass", "class": _name_of(kind), "fields": fields}
        if kind.__module__.partition(".")[0] == "telegram" and hasattr(kind, "de_json") and hasattr(value, "to_dict"):
            return {TAG: "telegram", "class": kind.__name__, "data": value.to_dict()}
        if not self._pickled:
            raise NotStorable(f"a {kind.__module__}.{kind.__qualname__}")
        return {TAG: "pickle", "data": base64.b64encode(pickle.dumps(value)).decode()}

    def decode(self, value: Any) -> Any:
        """The value of what `encode` wrote.

        Raises:
            NotStorable: it is a pickle, and none is to be read, or of a class that the program does not have (yet).
            ValueError: `encode` did not write it.
        """
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        if TAG not in value:
            return {key: self.decode(item) for key, item in value.items()}
        try:
            return self._untagged(value)
        except (KeyError, AttributeError, TypeError, decimal.InvalidOperation) as problem:
            if isinstance(problem, NotStorable):
                raise
            raise ValueError(f"a value in the state file cannot be read: {problem!r}") from None

    def _untagged(self, value: dict[str, Any]) -> Any:
        name = value[TAG]
        if name in _LISTS:
            return _LISTS[name](self.decode(item) for item in value["items"])
        if name in ("dict", "OrderedDict", "defaultdict"):
            pairs = [(self.decode(key), self.decode(item)) for key, item in value["items"]]
            if name == "defaultdict":
                return defaultdict(_FACTORIES[value["factory"]] if "factory" in value else None, pairs)
            return dict(pairs) if name == "dict" else OrderedDict(pairs)
        if name in _TEXTS:
            return _TEXTS[name][2](value["text"])
        if name == "bot":
            return self._bot
        if name == "enum":
            return _class_of(value["class"], enum.Enum)[value["name"]]
        if name == "dataclass":
            return self._dataclass(value)
        if name == "telegram":
            return getattr(sys.modules["telegram"], value["class"]).de_json(value["data"], self._bot)
        if name == "pickle" and not self._pickled:
            raise NotStorable("a pickle")
        return pickle.loads(base64.b64decode(value["data"]))  # noqa: S301  # asked for, and written by this bot

    def _dataclass(self, value: dict[str, Any]) -> Any:
        """A dataclass without its `__init__`, which may do or want anything."""
        kind = _class_of(value["class"], object)
        fields = getattr(kind, "__dataclass_fields__", None)
        if fields is None:
            raise NotStorable(f"{value['class']}, which is no dataclass any more")
        made: Any = object.__new__(kind)
        for name, field in fields.items():
            if name in value["fields"]:
                object.__setattr__(made, name, self.decode(value["fields"][name]))
            elif field.default is not dataclasses.MISSING:
                object.__setattr__(made, name, field.default)
            elif field.default_factory is not dataclasses.MISSING:
                object.__setattr__(made, name, field.default_factory())
        return made


def _name_of(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class_of(name: str, base: type) -> Any:
    """A class of the program, which has loaded it: nothing is imported because a file says so."""
    module, _, qualname = str(name).partition(":")
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise NotStorable(f"{module}.{qualname}, which the program has not imported")
    return found
