"""Data, conversations and meta in the state file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from syncbot.errors import StorageError
from syncbot.storage.codec import (
    EncodedChanges,
    Unreadable,
    check_meta_name,
    conflict_at,
    decode,
    decode_state,
    decode_values,
    encode,
    encode_changes,
    one_change,
)
from syncbot.storage.promises.data import Changes, DataConflict, Scope
from syncbot.storage.promises.store import PLAUSIBLE_TIME, StoreOptions
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.journal import take_answers
from syncbot.storage.sqlite.outbox import queue_calls

_log = logging.getLogger(__name__)


def write_changes(db: sqlite3.Connection, changes: EncodedChanges, now: float) -> None:
    """Write what a handler changed, inside the caller's transaction."""
    if changes.set_values:
        db.executemany("INSERT OR REPLACE INTO data (scope, owner, name, value) VALUES (?, ?, ?, ?)", changes.set_values)
    if changes.removed:
        db.executemany("DELETE FROM data WHERE scope = ? AND owner = ? AND name = ?", changes.removed)
    if changes.set_states:
        rows = [(*state, now) for state in changes.set_states]
        db.executemany("INSERT OR REPLACE INTO conversation (chat, user, state, at) VALUES (?, ?, ?, ?)", rows)
    if changes.ended:
        db.executemany("DELETE FROM conversation WHERE chat = ? AND user = ?", changes.ended)
    take_answers(db, changes.answers)
    queue_calls(db, changes.calls, now)


def conflicts_of(db: sqlite3.Connection, changes: EncodedChanges) -> tuple[DataConflict, ...]:
    """Where something else stands than is expected, inside the caller's transaction."""
    sql = "SELECT value FROM data WHERE scope = ? AND owner = ? AND name = ?"
    return tuple(conflict_at(*row[:3]) for row in changes.expected if (db.execute(sql, row[:3]).fetchone() or (None,))[0] != row[3])


def forget_states(db: sqlite3.Connection, now: float, seconds: float) -> None:
    """End the conversations that were last noted longer ago. What a clock has noted that was not set yet counts from now on."""
    if now > PLAUSIBLE_TIME:
        db.execute("UPDATE conversation SET at = ? WHERE at <= ?", (now, PLAUSIBLE_TIME))
    db.execute("DELETE FROM conversation WHERE at < ? AND at > ?", (now - seconds, PLAUSIBLE_TIME))


class SqlData:
    """`syncbot.storage.promises.parts.Data` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = database
        self._now = now
        self._options = options

    def load(self, scope: Scope, owner: int) -> dict[str, Any]:
        with self._database.reading() as db:
            rows = db.execute("SELECT name, value FROM data WHERE scope = ? AND owner = ?", (str(scope), owner)).fetchall()
            return decode_values(rows, scope, owner)

    def owners(self, scope: Scope, *, after: int | None = None, limit: int = 100) -> list[int]:
        sql = "SELECT DISTINCT owner FROM data WHERE scope = ? AND owner > coalesce(?, owner - 1) AND typeof(owner) = 'integer' ORDER BY owner LIMIT ?"
        return [owner for (owner,) in self._database.rows(sql, (str(scope), after, limit))]

    def save(self, scope: Scope, owner: int, changed: Mapping[str, Any], removed: Iterable[str] = ()) -> None:
        self.apply(one_change(scope, owner, changed, removed))

    def get_state(self, chat: int, user: int) -> Any:
        with self._database.reading() as db:
            row = db.execute("SELECT state, at FROM conversation WHERE chat = ? AND user = ?", (chat, user)).fetchone()
            state = decode_state(row[0], chat, user) if row else None
        if row and type(row[1]) is float and self._options.is_fading(row[1], self._now()):
            with suppress(StorageError):  # a full disk must not fail the look
                self._database.write("UPDATE conversation SET at = ? WHERE chat = ? AND user = ?", (self._now(), chat, user))
        return state

    def apply(self, changes: Changes) -> tuple[DataConflict, ...]:
        encoded = encode_changes(changes)
        if encoded == EncodedChanges():
            return ()
        with self._database.transaction() as db:
            conflicts = conflicts_of(db, encoded)
            if not conflicts:
                write_changes(db, encoded, self._now())
            return conflicts


class SqlMeta:
    """`syncbot.storage.promises.parts.Meta` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str, default: Any = None) -> Any:
        rows = self._database.rows("SELECT value FROM meta WHERE name = ?", (name,))
        try:
            return decode(rows[0][0]) if rows else default
        except Unreadable as problem:  # all of these facts can be learned again
            _log.error("the fact %r in the state file %s %s; it is forgotten", name, self._database.path, problem)
            return default

    def set(self, name: str, value: Any) -> None:
        check_meta_name(name)
        text = None if value is None else encode(value, f"the fact {name!r}")
        with self._database.lock:
            rows = self._database.rows("SELECT value FROM meta WHERE name = ?", (name,))
            if (rows[0][0] if rows else None) == text:
                return
            with self._database.transaction() as db:
                if text is None:
                    db.execute("DELETE FROM meta WHERE name = ?", (name,))
                else:
                    db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, text))
