"""Data, conversations and meta in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from syncbot.errors import StorageError
from syncbot.storage.codec import (
    EncodedChanges,
    check_meta_name,
    conflict_at,
    decode,
    decode_state,
    decode_values,
    encode,
    encode_changes,
    one_change,
    storable,
)
from syncbot.storage.postgres.questions import take_answers
from syncbot.storage.postgres.sending.outbox import queue_calls
from syncbot.storage.postgres.server.database import PgDatabase
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.data import Changes, DataConflict, Scope
from syncbot.storage.promises.store import PLAUSIBLE_TIME, StoreOptions

Place = tuple[str, int, str]
"""scope, owner, name"""


def write_changes(db: Connection, bot: int, changes: Sequence[EncodedChanges], now: float) -> list[tuple[DataConflict, ...]]:
    """Write what handlers have changed, one after the other, inside the caller's transaction.

    Returns:
        For each, where something else stands than it expected: then nothing of it is written.
    """
    _lock_owners(db, bot, changes)
    stands = _expected_values(db, bot, changes)
    written: dict[Place, str | None] = {}
    conflicts: list[tuple[DataConflict, ...]] = []
    states: dict[tuple[int, int], str | None] = {}
    for change in changes:
        wrong = tuple(conflict_at(*row[:3]) for row in change.expected if stands.get(row[:3]) != row[3])
        conflicts.append(wrong)
        if wrong:
            continue
        mine: dict[Place, str | None] = {(scope, owner, name): value for scope, owner, name, value in change.set_values}
        mine |= dict.fromkeys(change.removed)
        stands |= mine
        written |= mine
        states |= {(chat, user): state for chat, user, state in change.set_states} | dict.fromkeys(change.ended)
    _write_values(db, bot, written)
    _write_states(db, bot, states, now)
    for change, wrong in zip(changes, conflicts, strict=True):
        if not wrong:
            take_answers(db, bot, change.answers)
            queue_calls(db, bot, change.calls, now)
    return conflicts


def forget_states(db: Connection, bot: int, now: float, seconds: float) -> None:
    """End the conversations that were last noted longer ago. What a clock has noted that was not set yet counts from now on."""
    if now > PLAUSIBLE_TIME:
        db.execute("UPDATE syncbot.conversation SET at = %s WHERE bot = %s AND at <= %s", (now, bot, PLAUSIBLE_TIME))
    sql = "DELETE FROM syncbot.conversation WHERE bot = %s AND at < %s AND at > %s"
    db.execute(sql, (bot, now - seconds, PLAUSIBLE_TIME))


def _lock_owners(db: Connection, bot: int, changes: Sequence[EncodedChanges]) -> None:
    """Have nobody else look at, and change, the data of these owners until the transaction ends; in one order, so that no two wait for each other."""
    owners = {row[:2] for change in changes for rows in (change.set_values, change.removed, change.expected) for row in rows}
    if owners:
        keys = sorted(int.from_bytes(blake2b(f"{bot} {scope} {owner}".encode(), digest_size=8).digest(), signed=True) for scope, owner in owners)
        db.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS k (key)", (keys,))


def _expected_values(db: Connection, bot: int, changes: Sequence[EncodedChanges]) -> dict[Place, str | None]:
    """What stands where something is expected, in a statement of its own: it sees what was written before the locks were given."""
    places = sorted({row[:3] for change in changes for row in change.expected})
    if not places:
        return {}
    scopes, owners, names = map(list, zip(*places, strict=True))
    rows = db.execute(
        """SELECT d.scope, d.owner, d.name, d.value FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS e (scope, owner, name)
            JOIN syncbot.data AS d ON d.bot = %s AND d.scope = e.scope AND d.owner = e.owner AND d.name = e.name""",
        (scopes, owners, names, bot),
    ).fetchall()
    return {(scope, owner, name): value for scope, owner, name, value in rows}


def _write_values(db: Connection, bot: int, written: Mapping[Place, str | None]) -> None:
    kept = [(*place, value) for place, value in written.items() if value is not None]
    gone = [place for place, value in written.items() if value is None]
    if kept:
        columns = [list(column) for column in zip(*kept, strict=True)]
        db.execute(
            """INSERT INTO syncbot.data (bot, scope, owner, name, value)
                SELECT %s, scope, owner, name, value FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) AS w (scope, owner, name, value)
                ON CONFLICT (bot, scope, owner, name) DO UPDATE SET value = excluded.value""",
            (bot, *columns),
        )
    if gone:
        columns = [list(column) for column in zip(*gone, strict=True)]
        db.execute(
            """DELETE FROM syncbot.data AS d USING unnest(%s::text[], %s::bigint[], %s::text[]) AS g (scope, owner, name)
                WHERE d.bot = %s AND d.scope = g.scope AND d.owner = g.owner AND d.name = g.name""",
            (*columns, bot),
        )


def _write_states(db: Connection, bot: int, states: Mapping[tuple[int, int], str | None], now: float) -> None:
    for (chat, user), state in sorted(states.items()):
        if state is None:
            db.execute('DELETE FROM syncbot.conversation WHERE bot = %s AND chat = %s AND "user" = %s', (bot, chat, user))
        else:
            db.execute(
                """INSERT INTO syncbot.conversation (bot, chat, "user", state, at) VALUES (%s, %s, %s, %s, %s)
                    ON CONFLICT (bot, chat, "user") DO UPDATE SET state = excluded.state, at = excluded.at""",
                (bot, chat, user, state, now),
            )


class PgData:
    """`syncbot.storage.promises.parts.Data` in PostgreSQL."""

    def __init__(self, database: PgDatabase, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = database
        self._now = now
        self._options = options

    def load(self, scope: Scope, owner: int) -> dict[str, Any]:
        sql = "SELECT name, value FROM syncbot.data WHERE bot = %s AND scope = %s AND owner = %s"
        with self._database.reading() as db:
            rows = db.execute(sql, (self._database.bot, str(scope), owner)).fetchall()
            return decode_values(rows, scope, owner)

    def owners(self, scope: Scope, *, after: int | None = None, limit: int = 100) -> list[int]:
        sql = "SELECT DISTINCT owner FROM syncbot.data WHERE bot = %s AND scope = %s AND (%s::bigint IS NULL OR owner > %s) ORDER BY owner LIMIT %s"
        return [owner for (owner,) in self._database.rows(sql, (self._database.bot, str(scope), after, after, limit))]

    def save(self, scope: Scope, owner: int, changed: Mapping[str, Any], removed: Iterable[str] = ()) -> None:
        self.apply(one_change(scope, owner, changed, removed))

    def get_state(self, chat: int, user: int) -> Any:
        where = (self._database.bot, chat, user)
        with self._database.reading() as db:
            row = db.execute('SELECT state, at FROM syncbot.conversation WHERE bot = %s AND chat = %s AND "user" = %s', where).fetchone()
            state = decode_state(row[0], chat, user) if row else None
        if row and self._options.is_fading(row[1], self._now()):
            with suppress(StorageError), self._database.transaction() as db:  # a full disk must not fail the look
                db.execute('UPDATE syncbot.conversation SET at = %s WHERE bot = %s AND chat = %s AND "user" = %s', (self._now(), *where))
        return state

    def apply(self, changes: Changes) -> tuple[DataConflict, ...]:
        encoded = encode_changes(changes)
        if encoded == EncodedChanges():
            return ()
        with self._database.transaction() as db:
            return write_changes(db, self._database.bot, [encoded], self._now())[0]


class PgMeta:
    """`syncbot.storage.promises.parts.Meta` in PostgreSQL."""

    def __init__(self, database: PgDatabase) -> None:
        self._database = database

    def get(self, name: str, default: Any = None) -> Any:
        text = self._text(name)
        return default if text is None else decode(text)

    def set(self, name: str, value: Any) -> None:
        check_meta_name(name)
        text = None if value is None else encode(value, f"the fact {name!r}")
        if self._text(name) == text:
            return
        with self._database.transaction() as db:
            if text is None:
                db.execute("DELETE FROM syncbot.meta WHERE bot = %s AND name = %s", (self._database.bot, name))
            else:
                set_fact(db, self._database.bot, name, text)

    def _text(self, name: str) -> str | None:
        if storable(name) != name:  # nothing has such a name, and the database refuses it
            return None
        rows = self._database.rows("SELECT value FROM syncbot.meta WHERE bot = %s AND name = %s", (self._database.bot, name))
        return rows[0][0] if rows else None


def set_fact(db: Connection, bot: int, name: str, text: str) -> None:
    """Write a fact, inside the caller's transaction."""
    sql = "INSERT INTO syncbot.meta (bot, name, value) VALUES (%s, %s, %s) ON CONFLICT (bot, name) DO UPDATE SET value = excluded.value"
    db.execute(sql, (bot, name, text))
