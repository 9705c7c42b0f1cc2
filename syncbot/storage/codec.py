"""Values to JSON text and back, the same for every store, so that what one accepts the other does."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from syncbot.storage.promises.data import Changes, DataChange, DataConflict, Scope
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.promises.jobs import JobEntry
from syncbot.storage.promises.outbox import OutboxCall
from syncbot.storage.promises.questions import Question, QuestionAnswer

_REASON_LENGTH = 20_000
_INT64 = 1 << 63
LAST_TIME = 253_402_300_799.0
"""The last second of the year 9999; what claims to be later is no time."""


class Unreadable(ValueError):
    """A value in the state file is not what was written there; the text says what it is instead."""


class EncodedCall(NamedTuple):
    """A call to be queued, with its parameters and its files as text."""

    call: OutboxCall
    params: str
    files: str


class EncodedChanges(NamedTuple):
    """`Changes` as rows of text; made before a transaction begins, so that a bad value never leaves half of it behind."""

    set_values: tuple[tuple[str, int, str, str], ...] = ()
    """scope, owner, name, value"""
    removed: tuple[tuple[str, int, str], ...] = ()
    """scope, owner, name"""
    set_states: tuple[tuple[int, int, str], ...] = ()
    """chat, user, state"""
    ended: tuple[tuple[int, int], ...] = ()
    """chat, user"""
    expected: tuple[tuple[str, int, str, str | None], ...] = ()
    """scope, owner, name, value"""
    answers: tuple[QuestionAnswer, ...] = ()
    calls: tuple[EncodedCall, ...] = ()


def encode(value: Any, what: str) -> str:
    """One JSON value as ASCII text (so that a lone surrogate, which UTF-8 cannot hold, survives).

    Raises:
        TypeError, ValueError: it is not JSON; `what` stands in the text.
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except TypeError as problem:
        raise TypeError(f"{what} is not a JSON value: {problem}") from None
    except ValueError as problem:
        raise ValueError(f"{what} is not a JSON value: {problem}") from None
    except RecursionError:
        raise ValueError(f"{what} is not a JSON value: it is nested too deeply") from None


def decode(text: object) -> Any:
    """The value of what `encode` wrote.

    Raises:
        Unreadable: it did not write this.
    """
    if not isinstance(text, str):
        raise Unreadable("is no JSON text")
    try:
        return _decode(text)
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"is no JSON value: {problem}") from None


def decode_object(text: object) -> dict[str, Any]:
    """The object of what `encode` wrote.

    Raises:
        Unreadable: it did not write this.
    """
    value = decode(text)
    if not isinstance(value, dict):
        raise Unreadable("is no JSON object")
    return value


def check_time(value: float) -> float:
    """The same time, if it is one.

    Raises:
        Unreadable: it is none.
    """
    if not 0.0 <= value <= LAST_TIME:
        raise Unreadable(f"has the time {value}, which is none")
    return value


def int64(value: int, what: str) -> int:
    """The same number, if it fits the 64 bits of a database's integer.

    Raises:
        ValueError: it does not.
    """
    if -_INT64 <= value < _INT64:
        return value
    raise ValueError(f"{what} does not fit 64 bits: {value}")


NOTHING = EncodedChanges()
"""What changes nothing."""


def encode_changes(changes: Changes) -> EncodedChanges:
    """Rows for everything that changed.

    Raises:
        TypeError, ValueError: a value is not JSON, a key is not a string, an id does not fit.
    """
    if not (changes.data or changes.states or changes.answers or changes.calls):
        return NOTHING
    set_values: list[tuple[str, int, str, str]] = []
    removed: list[tuple[str, int, str]] = []
    expected: list[tuple[str, int, str, str | None]] = []
    for change in changes.data:
        owner = (str(Scope(change.scope)), int64(change.owner, "the owner's id"))
        set_values += [(*owner, _name(change, key), encode(value, f"{change.scope}_data[{key!r}]")) for key, value in change.changed.items()]
        removed += [(*owner, _name(change, key)) for key in change.removed]
        expected += [(*owner, _name(change, key), text) for key, text in change.expected.items()]
    states = [(int64(s.chat, "the chat's id"), int64(s.user, "the user's id"), s) for s in changes.states]
    return EncodedChanges(
        tuple(set_values),
        tuple(removed),
        tuple((chat, user, encode(s.state, "the state")) for chat, user, s in states if s.state is not None),
        tuple((chat, user) for chat, user, s in states if s.state is None),
        tuple(expected),
        answers=changes.answers,
        calls=tuple(map(encode_call, changes.calls)),
    )


def decode_values(rows: Iterable[tuple[object, object]], scope: Scope, owner: int) -> dict[str, Any]:
    """The dict of an owner from its rows.

    Raises:
        Unreadable: one of them is damaged; the text says whose it is.
    """
    try:
        return {decode_name(name): decode(value) for name, value in rows}
    except Unreadable as problem:
        raise Unreadable(f"a value in {scope}_data of {owner} {problem}") from None


def decode_state(text: object, chat: int, user: int) -> Any:
    """The state of a conversation.

    Raises:
        Unreadable: it is damaged; the text says whose it is.
    """
    try:
        return decode(text)
    except Unreadable as problem:
        raise Unreadable(f"the state of user {user} in chat {chat} {problem}") from None


def one_change(scope: Scope, owner: int, changed: Mapping[str, Any], removed: Iterable[str]) -> Changes:
    """A single owner's change as `Changes`."""
    return Changes(data=(DataChange(scope, owner, changed, tuple(removed)),))


def encode_call(call: OutboxCall) -> EncodedCall:
    """A call that is to be queued, with its parameters and its files as text.

    Raises:
        TypeError, ValueError: a parameter is not JSON, or a time is none.
    """
    for time in (call.not_before, call.expires or 0.0):
        if not 0 <= time <= LAST_TIME:
            raise ValueError(f"{call.method}: {time} is no time in seconds since 1970")
    names = {name: value for name, value in call.params.items() if isinstance(name, str)}
    if len(names) != len(call.params):
        raise TypeError(f"{call.method}: the names of parameters are strings")
    pairs = (f"{encode(name, 'a name')}:{encode(value, f'{call.method}: the parameter {name}')}" for name, value in names.items())
    return EncodedCall(call, "{" + ",".join(pairs) + "}", encode(list(call.files), f"{call.method}: the list of files"))


EncodedJob = tuple[str, str, str, float, int | None, int | None, str, str, bool, bool]


def encode_job(entry: JobEntry) -> EncodedJob:
    """A job as its row: key, name, rule, next time, chat, user, data, missed, paused, declared.

    Raises:
        TypeError, ValueError: something in it is not JSON, or does not fit.
    """
    where = f"the job {entry.key!r}"
    for text in (entry.key, entry.name):
        if storable(text) != text:
            raise ValueError(f"{text!r} is no name of a job: it holds a zero or half of a surrogate pair, which a database refuses")
    if not 0 <= entry.next_time <= LAST_TIME:
        raise ValueError(f"{where}: {entry.next_time} is no time in seconds since 1970")
    chat, user = (None if id is None else int64(id, f"{where}: the id") for id in (entry.chat_id, entry.user_id))
    data = encode(entry.data, f"{where}: data")
    return entry.key, entry.name, encode(dict(entry.rule), where), float(entry.next_time), chat, user, data, str(entry.missed), entry.paused, entry.declared


def encode_wants(question: Question) -> str:
    """What a question wants.

    Raises:
        TypeError, ValueError: it is not JSON.
    """
    return encode(dict(question.wants), "what a question wants")


def first_of_each(updates: Iterable[Incoming]) -> dict[int, Incoming]:
    """Updates by their ids, of those with the same id the first.

    Raises:
        ValueError: an id does not fit 64 bits.
    """
    found: dict[int, Incoming] = {}
    for update in updates:
        found.setdefault(int64(update.update_id, "the update's id"), update)
    return found


def shorten(reason: str) -> str:
    """Cut an overlong traceback out of its middle: the beginning says where, the end says what."""
    if len(reason) <= _REASON_LENGTH:
        return reason
    half = _REASON_LENGTH // 2
    return f"{reason[:half]}\n… {len(reason) - 2 * half} characters left out …\n{reason[-half:]}"


def storable(text: str) -> str:
    """A text as every database can hold it: without zeros and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def check_meta_name(name: str) -> None:
    """Keep the store's own names from being overwritten.

    Raises:
        ValueError: it is one of them, or none that every store can hold.
    """
    if storable(name) != name:
        raise ValueError(f"the name {name!r} holds a zero or half of a surrogate pair, which a database refuses")
    if name.startswith("store."):
        raise ValueError(f"the name {name!r} is the store's own; choose one that does not begin with 'store.'")


def conflict_at(scope: str, owner: int, name: str) -> DataConflict:
    """What to say of a row that holds something else than was expected."""
    return DataConflict(Scope(scope), owner, decode_name(name))


def decode_name(name: object) -> str:
    """The key of a dict from its stored form.

    Raises:
        Unreadable: it is none.
    """
    return str(decode(name))


def _finite(text: str) -> float:
    """A number of JSON, or one of the three that Python takes for some: none that is infinite was ever written."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.20} is no finite number")
    return number


_decode = json.JSONDecoder(parse_float=_finite, parse_constant=_finite).decode


def _name(change: DataChange, key: object) -> str:
    # Names are kept as JSON too: a key may hold a lone surrogate, which the database would refuse.
    if not isinstance(key, str):
        raise TypeError(f"{change.scope}_data[{key!r}]: the keys are strings")
    return encode(key, "a key")
