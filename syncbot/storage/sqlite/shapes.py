"""What each column of the state file has to hold: one table for everybody who reads rows that may be damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from syncbot.storage.codec import LAST_TIME, Unreadable, decode
from syncbot.storage.promises.data import Scope
from syncbot.storage.promises.jobs import Missed
from syncbot.storage.promises.journal import MOST_STEPS
from syncbot.storage.promises.outbox import OutboxState

MOST_NUMBER = 1 << 62
"""Numbers of rows are smaller: one that is not has no next one, and is damage."""
_INT64 = 1 << 63
_FEW = 1_000_000_000


class Shape(NamedTuple):
    """What a column holds.

    Args:
        read: gives the value that the column stands for, or raises `Unreadable`.
        neutral: what is taken in its place where the rest of a damaged row is still of use.
    """

    read: Callable[[Any], Any]
    neutral: Any = None


def _whole(low: int, high: int) -> Shape:
    def read(value: Any) -> int:
        if type(value) is not int:
            raise Unreadable(f"is {_kind(value)}, not a whole number")
        if not low <= value <= high:
            raise Unreadable(f"is {value}, which cannot be")
        return value

    return Shape(read, 0)


def read_time(value: Any) -> float:
    """A time.

    Raises:
        Unreadable: it is none.
    """
    if type(value) not in (float, int):
        raise Unreadable(f"is {_kind(value)}, not a time")
    if not 0 <= value <= LAST_TIME:
        raise Unreadable(f"is {value:g}, which is no time")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable("is no text in UTF-8" if isinstance(value, bytes) else f"is {_kind(value)}, not a text")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise Unreadable(f"is {_kind(value)}, not an update")
    return value


def _update(value: Any) -> bytes:
    try:
        if isinstance(json.loads(_bytes(value)), dict):
            return _bytes(value)
    except (ValueError, RecursionError):
        pass
    raise Unreadable("is no update in JSON")


def _one_of(values: Collection[str], neutral: str) -> Shape:
    def read(value: Any) -> str:
        if _text(value) not in values:
            raise Unreadable(f"is {value!r:.40}, which there is not")
        return str(value)

    return Shape(read, neutral)


def _json(kind: type, what: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        found = decode(value)
        if not isinstance(found, kind):
            raise Unreadable(f"is JSON, but not {what}")
        return found

    return read


def _names(value: Any) -> tuple[str, ...]:
    found = _json(list, "a list")(value)
    if not all(isinstance(name, str) for name in found):
        raise Unreadable("is JSON, but not a list of names")
    return tuple(found)


def _outcome(value: Any) -> str | None:
    if value is not None:
        _json(dict, "what came of a step")(value)
    return None if value is None else str(value)


def _time_or_none(value: Any) -> float | None:
    return None if value is None else read_time(value)


_INT = _whole(-_INT64, _INT64 - 1)
_ROW = _whole(1, MOST_NUMBER - 1)
_COUNT = _whole(0, _FEW)
_INT_OR_NONE = Shape(lambda value: None if value is None else _INT.read(value))
_TIME = Shape(read_time, 0.0)
_TEXT = Shape(_text, "")
_ANY_JSON = Shape(decode)

TABLES: Mapping[str, Mapping[str, Shape]] = MappingProxyType(
    {
        "meta": {"name": _TEXT, "value": _ANY_JSON},
        "inbox": {
            "seq": _ROW,
            "update_id": _INT,
            "chat": _TEXT,
            "stored": _TIME,
            "state": _one_of(("waiting", "running", "yielded", "asking", "done"), "waiting"),
            "run": _whole(0, MOST_NUMBER),
            "attempts": _COUNT,
            "alone": _COUNT,
            "suspect": _whole(0, 1),
        },
        "body": {"seq": _ROW, "json": Shape(_update, b"null")},
        "seen": {"update_id": _INT, "seq": _ROW, "at": _TIME},
        "dead_letter": {
            "id": _ROW,
            "update_id": _INT,
            "chat": _TEXT,
            "stored": _TIME,
            "died": _TIME,
            "attempts": _COUNT,
            "reason": _TEXT,
            "json": Shape(_bytes, b"null"),  # whatever its handler failed at, also what is no JSON
        },
        "data": {"scope": _one_of(tuple(Scope), "user"), "owner": _INT, "name": Shape(_json(str, "a name")), "value": _ANY_JSON},
        "conversation": {"chat": _INT, "user": _INT, "state": _ANY_JSON, "at": _TIME},
        "outbox": {
            "id": _ROW,
            "chat": _TEXT,
            "method": _TEXT,
            "params": Shape(_json(dict, "an object"), MappingProxyType({})),
            "files": Shape(_names, ()),
            "created": _TIME,
            "not_before": _TIME,
            "expires": Shape(_time_or_none),
            "state": _one_of(tuple(OutboxState), str(OutboxState.FAILED)),
            "attempts": _COUNT,
            "owner": _TEXT,
            "lease_until": _TIME,
            "reason": _TEXT,
        },
        "journal": {"place": _INT, "what": _TEXT, "target": _TEXT, "outcome": Shape(_outcome)},
        "job": {
            "id": _ROW,
            "key": _TEXT,
            "name": _TEXT,
            "rule": Shape(_json(dict, "an object"), MappingProxyType({})),
            "next_time": _TIME,
            "chat": _INT_OR_NONE,
            "user": _INT_OR_NONE,
            "data": _ANY_JSON,
            "missed": _one_of(tuple(Missed), str(Missed.ONCE)),
            "paused": _whole(0, 1),
            "declared": _whole(0, 1),
            "run": _whole(0, MOST_NUMBER),
        },
        "album": {"seq": _ROW, "name": _TEXT, "began": _TIME, "ready": _TIME},
        "question": {
            "seq": _ROW,
            "step": _whole(0, MOST_STEPS - 1),
            "what": _TEXT,
            "chat": _INT_OR_NONE,
            "user": _INT_OR_NONE,
            "wants": Shape(_json(dict, "what an answer has to be"), MappingProxyType({})),
            "asked": _TIME,
            "until": Shape(_time_or_none),
        },
    }
)
"""By table and column, in the order in which the migrations make them."""


def read_row(table: str, columns: Sequence[str], row: Sequence[Any]) -> tuple[list[Any], str]:
    """What a row stands for, and what is wrong with it.

    Args:
        table: the table.
        columns: the names of the row's columns.
        row: as it came from the table.

    Returns:
        The values, with the neutral one in each damaged place; and words such as "stored is a text, not a time", or "" for a sound row.
    """
    values: list[Any] = []
    faults: list[str] = []
    shapes = TABLES[table]
    for column, value in zip(columns, row, strict=True):
        try:
            values.append(shapes[column].read(value))
        except Unreadable as problem:
            values.append(shapes[column].neutral)
            faults.append(f"{column} {problem}")
    return values, ", ".join(faults)


def fact(value: Any, name: str) -> int:
    """One of the store's own numbers in `meta`.

    Raises:
        Unreadable: it is none.
    """
    try:
        return int(_INT.read(decode(value)))
    except Unreadable as problem:
        raise Unreadable(f"{name} {problem}") from None


def readable_text(raw: bytes) -> str | bytes:
    """A text of the file; bytes where it is no UTF-8, which no shape takes for a text."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _kind(value: Any) -> str:
    return {str: "a text", bytes: "bytes", float: "a fraction", int: "a number", type(None): "nothing"}.get(type(value), type(value).__name__)
