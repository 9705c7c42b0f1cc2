# ruff: noqa: S608 - statements are composed of constants only
"""A state in PostgreSQL that is copied, or written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

from syncbot.errors import AlreadyRunning, StorageError
from syncbot.storage.address import DatabaseUrl
from syncbot.storage.codec import storable
from syncbot.storage.copying.tables import COLUMNS, Row
from syncbot.storage.postgres.inbox_rows import wait_in_chats
from syncbot.storage.postgres.server.pg_errors import explained
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.postgres.store import PgStore
from syncbot.storage.promises.store import StoreOptions

_BATCH = 500
_SUSPECT = COLUMNS["inbox"].index("suspect")
_FLAGS = tuple(COLUMNS["job"].index(name) for name in ("paused", "declared"))
_READ = {
    "meta": "SELECT name, value FROM syncbot.meta WHERE bot = %s AND (name NOT LIKE 'store.%%' OR name = 'store.next_offset')",
    "inbox": "SELECT seq, update_id, chat, stored, state, attempts, alone, (suspect <> 0)::integer, json FROM syncbot.inbox WHERE bot = %s ORDER BY seq",
    "outbox": f"SELECT {', '.join(COLUMNS['outbox'])} FROM syncbot.outbox WHERE bot = %s ORDER BY id",
}
_WRITE = {
    "inbox": """INSERT INTO syncbot.inbox (bot, seq, update_id, chat, stored, state, attempts, alone, suspect, json, lane)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
    "album": """INSERT INTO syncbot.album (bot, seq, name, began, ready, lane)
        SELECT g.bot, g.seq, g.name, g.began, g.ready, i.lane
        FROM (VALUES (%s::bigint, %s::bigint, %s, %s::float8, %s::float8)) AS g (bot, seq, name, began, ready)
        JOIN syncbot.inbox AS i ON i.bot = g.bot AND i.seq = g.seq""",
}
_ALIVE = "SELECT name FROM syncbot.member WHERE bot = %s AND lease_until > clock_timestamp() LIMIT 1"
_NUMBERS = (
    "SELECT setval('syncbot.inbox_seq', greatest((SELECT last_value FROM syncbot.inbox_seq), coalesce(max(seq), 0), 1)) FROM syncbot.seen WHERE bot = %(bot)s",
    "SELECT setval('syncbot.inbox_seq', greatest((SELECT last_value FROM syncbot.inbox_seq), coalesce(max(seq), 0), 1)) FROM syncbot.inbox WHERE bot = %(bot)s",
    *(
        f"SELECT setval(pg_get_serial_sequence('syncbot.{table}', 'id'), coalesce(max(id), 1)) FROM syncbot.{table} HAVING max(id) IS NOT NULL"
        for table in ("outbox", "dead_letter")
    ),
)


class DatabaseSource:
    """`CopySource` of a bot's rows in a database.

    Args:
        store: the store.
        db: a connection with a transaction, which sees one moment.
    """

    def __init__(self, store: PgStore, db: Connection) -> None:
        self._store = store
        self._db = db

    def rows(self, table: str) -> Iterator[Row]:
        sql = _READ.get(table) or f"SELECT {', '.join(map(_quoted, COLUMNS[table]))} FROM syncbot.{table} WHERE bot = %s"
        with self._db.cursor(f"copied_{table}") as cursor:  # read in portions
            yield from cursor.execute(sql, (self._store.bot_id,))

    def file(self, name: str) -> Iterator[bytes]:
        if self._store.outbox_files.size(name) is None:
            raise StorageError(f"the file {name} of a call in the outbox of {self._store.path} is gone; drop the call with syncbot outbox drop")
        yield from self._store.outbox_files.pieces(name)

    def finish(self) -> None:
        _nobody_runs_on(self._store)


@contextmanager
def database_source(url: DatabaseUrl, bot: int | None) -> Iterator[tuple[int, DatabaseSource]]:
    """A bot's rows to be copied, and whose they are: what members that are gone have left is put back first, as at a start.

    Raises:
        AlreadyRunning: a bot runs on it.
        StorageError: it cannot be used.
    """
    with PgStore(url, bot, now=time.time, options=StoreOptions()) as store:
        _nobody_runs_on(store)
        store.inbox.recover()
        store.members.close()
        for owner in store.outbox.outlook().owners:
            if not store.outbox_files.is_dead(owner):
                raise AlreadyRunning(f"something delivers the outbox of {url} just now; stop it first, or wait for its end")
            store.outbox.abandon(owner)
        with explained(store.path), closing(store._database.connector.connect()) as db:
            db.execute("SET idle_in_transaction_session_timeout = 0")  # writing may take its time
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield store.bot_id, DatabaseSource(store, db)


class DatabaseTarget:
    """`CopyTarget` of a bot's rows in a database.

    Args:
        store: the store.
        db: a connection with a transaction.
    """

    def __init__(self, store: PgStore, db: Connection) -> None:
        self._store = store
        self._db = db

    def write(self, table: str, rows: Iterable[Row]) -> int:
        columns = COLUMNS[table]
        sql = _WRITE.get(table) or (
            f"INSERT INTO syncbot.{table} (bot, {', '.join(map(_quoted, columns))}) {'OVERRIDING SYSTEM VALUE' if columns[0] == 'id' else ''} "
            f"VALUES (%s{', %s' * len(columns)})"
        )
        number, source = 0, iter(rows)
        while batch := [self._fitting(table, row) for row in islice(source, _BATCH)]:
            with self._db.cursor() as cursor:
                cursor.executemany(sql, batch)
            if table == "inbox":
                wait_in_chats(self._db, self._store.bot_id, [(str(row[-1]), int(row[1])) for row in batch if row[5] == "waiting"])
            number += len(batch)
        return number

    def write_file(self, chunks: Iterator[bytes]) -> str:
        return self._store.outbox_files.write(chunks)

    def _fitting(self, table: str, row: Row) -> list[Any]:
        """A row as its table takes it."""
        values = [storable(value) if isinstance(value, str) else value for value in row]
        if table == "job":
            for place in _FLAGS:
                values[place] = bool(values[place])
        if table == "inbox":
            values[_SUSPECT] = -1 if values[_SUSPECT] else 0  # of no member: the first one that starts takes it
            values.append(values[2] or f"\x01{values[0]}")
        return [self._store.bot_id, *values]


@contextmanager
def database_target(url: DatabaseUrl, bot: int) -> Iterator[DatabaseTarget]:
    """A database in which the bot has nothing yet; all of it is there when the block has ended well, and nothing otherwise.

    Raises:
        AlreadyRunning: a bot runs on it.
        StorageError: it has something, or cannot be used.
    """
    with PgStore(url, bot, now=time.time, options=StoreOptions()) as store:
        _nobody_runs_on(store)
        with store._database.transaction() as db:
            for table in COLUMNS:
                if db.execute(f"SELECT 1 FROM syncbot.{table} WHERE bot = %s LIMIT 1", (bot,)).fetchall():
                    raise StorageError(f"bot {bot} has a state in {url} already (there is something in syncbot.{table}), and nothing is written over")
            yield DatabaseTarget(store, db)
            for statement in _NUMBERS:
                db.execute(statement, {"bot": bot})
            _nobody_runs_on(store)


def _nobody_runs_on(store: PgStore) -> None:
    """See to it that no member is alive; a killed one's lease may still run for some seconds.

    Raises:
        AlreadyRunning: one is.
    """
    with store._database.pool.connection() as db:  # beside a transaction that sees an earlier moment
        found = db.execute(_ALIVE, (store.bot_id,)).fetchall()
    if found:
        raise AlreadyRunning(f"a bot runs on {store.path} (member {found[0][0]}); stop it first; one that was killed is gone when its lease is over")


def _quoted(name: str) -> str:
    return '"user"' if name == "user" else name
