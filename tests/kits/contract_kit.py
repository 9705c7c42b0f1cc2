"""Values for every parameter of the Bot API, made from its type: what is given in Python, and what has to arrive at the server.

Objects are made twice, as python-telegram-bot's and as dicts, with all their fields filled from the types in python-telegram-bot's constructors.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeGuard

import telegram
import telegram._utils.types as telegram_types
from telegram._utils.defaultvalue import DefaultValue

from syncbot.client.api.table import ParameterSpec
from syncbot.testing import RecordedRequest

CONTENT = "content of a file: äß \r\n--x\0".encode()
TEXT = 'Grüße "an" alle \\ 👍🏽'
MOMENT = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
SPAN = timedelta(seconds=90)
PLAIN = ("Integer", "String", "Boolean", "Float")

_FILE_KINDS = (telegram.PhotoSize, telegram.Video, telegram.Animation, telegram.Audio, telegram.Document)
_NOT_FIELDS = frozenset({"self", "api_kwargs", "filename", "filename_depr", "disable_web_page_preview"})
"""What constructors take that is no field of the Bot API."""
_SPAN_NAMES = ("duration", "cache_time")


class Uploaded:
    """Stands where the name of an upload has to arrive."""


@dataclass(frozen=True)
class Sample:
    """A value to give, and the JSON that has to arrive; `Uploaded()` in it for a file with `CONTENT`."""

    value: Any
    expected: Any
    kind: str


@dataclass(frozen=True)
class Facts:
    """Values that mean something in the server's world, by name; every other one is made up."""

    integers: Mapping[str, int]
    texts: Mapping[str, str]
    file_id: str
    folder: Path


def samples(parameter: ParameterSpec, facts: Facts) -> Iterator[Sample]:
    """Every kind of value that a parameter takes."""
    for kind in parameter.types:
        yield from _of_kind(kind, parameter, facts)


def _of_kind(kind: str, parameter: ParameterSpec, facts: Facts) -> Iterator[Sample]:
    if kind == "InputFile":
        yield from _files(parameter.name, facts)
    elif kind in PLAIN:
        yield from _plain(kind, parameter.name, facts)
        if "InputFile" in parameter.types and (known := _object_with_file_id(parameter.name, facts)) is not None:
            yield Sample(known, facts.file_id, "object with a file id")
    elif kind == "InputRichMessage":
        yield from _rich_messages()
    elif kind == "EphemeralMessageParameters":
        yield Sample(*_twice({"receiver_user_id": facts.integers["user_id"]}), "dict")
    elif kind.startswith("Array of "):
        yield from _arrays(kind.removeprefix("Array of "), parameter, facts)
    else:
        yield from _objects(getattr(telegram, kind), facts)


def _plain(kind: str, name: str, facts: Facts) -> Iterator[Sample]:
    if kind == "Boolean":
        yield from (Sample(*_twice(value), "bool") for value in (True, False))
    elif kind == "Float":
        yield from (Sample(value, float(value), "number") for value in (16.25, 3))
        if name.endswith("timestamp"):
            yield Sample(SPAN, 90.0, "timedelta")
    elif kind == "Integer":
        yield Sample(*_twice(facts.integers.get(name, 7)), "int")
        if name.endswith("_date"):
            yield Sample(MOMENT, int(MOMENT.timestamp()), "datetime")
            yield Sample(MOMENT.replace(tzinfo=None), int(MOMENT.timestamp()), "datetime without a zone")
        elif name.endswith("_period") or name in _SPAN_NAMES:
            yield Sample(SPAN, 90, "timedelta")
    else:
        yield Sample(*_twice(facts.texts.get(name, TEXT)), "str")
        if name.endswith("parse_mode"):
            yield Sample(telegram.constants.ParseMode.HTML, "HTML", "enum")
        elif name == "action":
            yield Sample(telegram.constants.ChatAction.TYPING, "typing", "enum")


def _files(name: str, facts: Facts) -> Iterator[Sample]:
    path = facts.folder / "file.bin"
    path.write_bytes(CONTENT)
    yield Sample(CONTENT, Uploaded(), "bytes")
    yield Sample(path, Uploaded(), "path")
    yield Sample(path.open("rb"), Uploaded(), "open file")
    yield Sample(telegram.InputFile(CONTENT, filename="näme.bin"), Uploaded(), "InputFile")


def _rich_messages() -> Iterator[Sample]:
    """One as HTML with a medium beside it, and one of blocks."""
    medium = {"type": "voice_note", "duration": 7}
    photo = telegram.InputMediaPhoto(CONTENT, caption=TEXT)
    yield Sample(
        {"html": TEXT, "is_rtl": True, "media": [{"id": "a", "media": medium | {"media": CONTENT}}]},
        {"html": TEXT, "is_rtl": True, "media": [{"id": "a", "media": medium | {"media": Uploaded()}}]},
        "html",
    )
    blocks: list[dict[str, Any]] = [{"type": "paragraph", "text": [TEXT, {"type": "bold", "text": TEXT}]}]
    shown = {"type": "photo", "caption": TEXT}
    yield Sample(
        {"blocks": [*blocks, {"type": "blockquote", "blocks": [{"type": "photo", "photo": photo}]}]},
        {"blocks": [*blocks, {"type": "blockquote", "blocks": [{"type": "photo", "photo": shown | {"media": Uploaded()}}]}]},
        "blocks",
    )


def _object_with_file_id(name: str, facts: Facts) -> Any:
    known: Any = telegram.PhotoSize if name in ("photo", "cover") else getattr(telegram, "".join(part.title() for part in name.split("_")), None)
    if known is None:
        return None
    given = {"file_id": facts.file_id, "file_unique_id": "u", "width": 1, "height": 1, "duration": 1, "length": 1}
    given |= {"type": "regular", "is_animated": False, "is_video": False}
    return known(**{key: value for key, value in given.items() if key in inspect.signature(known.__init__).parameters})


def _arrays(kind: str, parameter: ParameterSpec, facts: Facts) -> Iterator[Sample]:
    """A list of all samples of the items, and a tuple; an album needs two at least."""
    items = list(_of_kind(kind, ParameterSpec(parameter.name, (kind,), True), facts))
    if parameter.name == "reaction":  # a bot has one on a message
        yield from (Sample([item.value], [item.expected], item.kind) for item in items)
        return
    for form in dict.fromkeys(item.kind for item in items):
        same = [item for item in items if item.kind == form]
        same = (same * 2)[:10] if parameter.name == "media" else same
        as_list, expected = [item.value for item in same], [item.expected for item in same]
        yield Sample(as_list, expected, f"list of {form}")
        yield Sample(tuple(as_list), expected, f"tuple of {form}")


def _objects(union: Any, facts: Facts) -> Iterator[Sample]:
    for known in _classes(union):
        for variant in range(_variants(known)):
            kwargs, as_dict, expected = _filled(known, variant, facts)
            thing = known(**kwargs)
            # What the class itself says, such as its type, as JSON and so without python-telegram-bot's enums.
            fixed = {name: json.loads(json.dumps(value)) for name, value in thing.to_dict().items() if name not in kwargs and isinstance(value, str | bool)}
            yield Sample(thing, expected | fixed, "object")
            yield Sample(as_dict | fixed, expected | fixed, "dict")


def _classes(union: Any) -> list[Any]:
    """The classes that there are instances of: of a union its members, of a base class those below it."""
    found: list[Any] = []
    for known in typing.get_args(union) or (union,):
        below = [sub for sub in known.__subclasses__() if sub.__name__ in vars(telegram)]
        found += [leaf for sub in below for leaf in _classes(sub)] if below else [known]
    return found


@cache
def _fields(known: Any) -> Mapping[str, Any]:
    """The fields of an object with the types that its constructor takes."""
    scope = {**vars(telegram_types), **vars(telegram), "dtm": __import__("datetime")}
    hints = typing.get_type_hints(known.__init__, localns=scope)
    names = inspect.signature(known.__init__).parameters
    return {name: hints[name] for name in names if name not in _NOT_FIELDS}


def _variants(known: Any) -> int:
    """How many objects it takes for every field to have had each of its kinds of value."""
    return max((len(_alternatives(hint)) for hint in _fields(known).values()), default=1)


@cache
def _alternatives(hint: Any) -> list[Any]:
    """The kinds of value that a field takes, each once; a file is one kind, whatever it is given as."""
    if _takes_file(hint):
        return [bytes, telegram.InputFile, str] + [known for known in _FILE_KINDS if known in typing.get_args(hint)]
    found: list[Any] = []
    for part in typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,):
        if part is type(None) or typing.get_origin(part) is DefaultValue:
            continue
        found += _classes(part) if _is_object(part) else [part]
    return [part for part in found if part is not str] if any(map(_is_object, found)) else found  # a text that stands for an object becomes one


def _is_object(hint: Any) -> TypeGuard[type[telegram.TelegramObject]]:
    return isinstance(hint, type) and issubclass(hint, telegram.TelegramObject)


def _takes_file(hint: Any) -> bool:
    return bytes in typing.get_args(hint)


def _filled(known: Any, variant: int, facts: Facts) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """All fields of an object: as arguments of its constructor, as a dict, and as what has to arrive."""
    kwargs: dict[str, Any] = {}
    as_dict: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for name, hint in _fields(known).items():
        alternatives = _alternatives(hint)
        chosen = alternatives[variant % len(alternatives)]
        kwargs[name], as_dict[name], expected[name] = _field(known, name, chosen, facts)
    return kwargs, as_dict, expected


def _field(known: type, name: str, hint: Any, facts: Facts) -> tuple[Any, Any, Any]:
    """One field, three times as in `_filled`."""
    if typing.get_origin(hint) is Sequence:
        return _field_list(known, name, typing.get_args(hint)[0], facts)
    if hint in _FILE_KINDS:
        value = _object_with_file_id(hint.__name__.lower().replace("photosize", "photo"), facts)
        return value, value, facts.file_id
    if hint is bytes:
        return CONTENT, CONTENT, Uploaded()
    if hint is telegram.InputFile:
        return (*_twice(telegram.InputFile(CONTENT, attach=True)), Uploaded())
    if _is_object(hint):
        made = list(islice(_objects(hint, facts), 2))
        return made[0].value, made[1].value, made[0].expected
    if hint is object:
        hint = str  # a button's data is anything to python-telegram-bot's own cache, and a text to Telegram
    simple: dict[Any, Any] = {str: facts.texts.get(name, TEXT), int: facts.integers.get(name, 7), float: 16.25, bool: True}
    if hint is str and name in ("media", "thumbnail", "cover", "photo", "sticker", "animation", "video"):
        return (*_twice(facts.file_id), facts.file_id)
    if hint in simple:
        return (*_twice(simple[hint]), simple[hint])
    if hint is datetime:
        return MOMENT, MOMENT, int(MOMENT.timestamp())
    assert hint is timedelta, (known, name, hint)
    return SPAN, SPAN, 90


def _field_list(known: type, name: str, item: Any, facts: Facts) -> tuple[Any, Any, Any]:
    """A list in a field: an item of each of its kinds, and of each variant of an object."""
    parts: list[tuple[Any, Any, Any]] = []
    for hint in _alternatives(item):
        if _is_object(hint):
            made = list(_objects(hint, facts))
            parts += [(first.value, second.value, first.expected) for first, second in zip(made[::2], made[1::2], strict=True)]
        else:
            parts.append(_field(known, name, hint, facts))
    values, dicts, expected = ([part[place] for part in parts] for place in range(3))
    return values, dicts, expected


def _twice(value: Any) -> tuple[Any, Any]:
    return value, value


def assert_arrived(expected: Any, came: Any, request: RecordedRequest, name: str) -> None:
    """What arrived is what had to, with every upload whole and named once."""
    if isinstance(expected, Uploaded):
        field = name if came is None else came.removeprefix("attach://")
        assert came is None or came.startswith("attach://")
        assert request.file(field).sha256 == hashlib.sha256(CONTENT).hexdigest()
    elif isinstance(expected, dict):
        assert isinstance(came, dict), came
        assert came.keys() == expected.keys()
        for key, value in expected.items():
            assert_arrived(value, came[key], request, key)
    elif isinstance(expected, list):
        assert isinstance(came, list), came
        assert len(came) == len(expected)
        for one, other in zip(expected, came, strict=True):
            assert_arrived(one, other, request, name)
    else:
        assert came == expected, name
        assert type(came) is type(expected) or (type(came), type(expected)) == (int, float), name  # Telegram takes no 90.0 for an Integer


def count_uploads(expected: Any) -> int:
    """How many files have to arrive."""
    if isinstance(expected, Uploaded):
        return 1
    parts: Iterable[Any] = expected.values() if isinstance(expected, dict) else expected if isinstance(expected, list) else ()
    return sum(count_uploads(part) for part in parts)


def is_of(kinds: Sequence[str], value: Any) -> bool:
    """A result is of one of these types: python-telegram-bot's class, or a dict where it has none."""
    for kind in kinds:
        if kind.startswith("Array of "):
            if isinstance(value, tuple) and all(is_of([kind.removeprefix("Array of ")], item) for item in value):
                return True
        elif kind in PLAIN:
            if type(value) is {"Integer": int, "String": str, "Boolean": bool, "Float": float}[kind]:
                return True
        elif isinstance(value, getattr(telegram, kind, dict)):
            return True
    return False


def close_files(given: Iterable[Any]) -> None:
    """Close what `samples` opened."""
    for value in given:
        if hasattr(value, "read"):
            value.close()
