"""Calls that are queued within the transaction of an application, on its own connection: they are there if and only if it commits.

Nothing here knows the application's library: a connection of psycopg, of Django or of SQLAlchemy runs a statement in its own way.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from syncbot.errors import StorageError
from syncbot.storage.codec import encode_call
from syncbot.storage.postgres.sending.outbox import put_values
from syncbot.storage.postgres.sending.outbox_files import WRITE, pieces_of
from syncbot.storage.promises.outbox import OutboxCall

Run = Callable[[str, Sequence[Any]], Any]
"""Runs a statement with its values; returns the first row, or None."""

_LOOK = """SELECT CASE WHEN to_regnamespace('syncbot') IS NULL THEN 'gone' WHEN NOT has_schema_privilege('syncbot', 'USAGE') THEN 'closed'
    WHEN to_regclass('syncbot.outbox_file') IS NULL THEN 'gone'
    WHEN has_table_privilege('syncbot.outbox', 'INSERT') AND has_table_privilege('syncbot.outbox', 'SELECT')
        AND has_table_privilege('syncbot.outbox_file', 'INSERT') AND has_table_privilege('syncbot.bot', 'SELECT') THEN 'open' ELSE 'closed' END"""
_PUT = """INSERT INTO syncbot.outbox (bot, chat, method, params, files, created, not_before, expires, state)
    SELECT %s::bigint, %s, %s, %s, %s, %s::float8, %s::float8, %s::float8, 'queued' WHERE EXISTS (SELECT 1 FROM syncbot.bot WHERE bot = %s) RETURNING id"""
_ELSEWHERE = (
    "connection= leads to another database than the state of bot {bot} ({place}), or the bot was never started on it: give the connection to that database, "
    "or start the bot once; nothing was queued"
)
_CLOSED = (
    "the database user of connection= may not write into the outbox: GRANT USAGE ON SCHEMA syncbot TO …; GRANT SELECT, INSERT ON syncbot.outbox, "
    "syncbot.outbox_file TO …; GRANT SELECT ON syncbot.bot TO …"
)


def queue_within(connection: Any, place: str, bot: int, call: OutboxCall, files: Sequence[Iterable[bytes]], now: float) -> int:
    """Queue a call within the transaction that a connection is in; returns its number.

    Args:
        connection: psycopg's, Django's, or SQLAlchemy's (a Session too), to the database of the state.
        place: that database, in words.
        bot: whose call it is.
        call: the call; its files are those that follow.
        files: their bytes.
        now: seconds since 1970.

    Raises:
        TypeError: it is no such connection.
        StorageError: it leads elsewhere, or may not write there; the transaction goes on.
    """
    run = runner(connection)
    found = _first(run(_LOOK, ()))
    if found == "closed":
        raise StorageError(_CLOSED)
    if found != "open":
        raise StorageError(_ELSEWHERE.format(bot=bot, place=place))
    names = [_write(run, bot, chunks) for chunks in files]
    queued = encode_call(OutboxCall(call.method, call.params, call.key, tuple(names), call.not_before, call.expires))
    row = run(_PUT, (*put_values(bot, queued, now), bot))
    if row is None:
        raise StorageError(_ELSEWHERE.format(bot=bot, place=place))
    run("SELECT pg_notify(%s, '')", (f"syncbot_{bot}",))  # told when it commits
    return int(_first(row))


def _write(run: Run, bot: int, chunks: Iterable[bytes]) -> str:
    name = uuid.uuid4().hex
    for number, piece in enumerate(pieces_of(chunks)):
        run(WRITE, (bot, name, number, piece))
    return name


def runner(connection: Any) -> Run:
    """What runs a statement within the connection's transaction.

    Raises:
        TypeError: it is none that is known.
    """
    if inspect.iscoroutinefunction(getattr(connection, "commit", None)) or inspect.iscoroutinefunction(getattr(connection, "execute", None)):
        raise TypeError("connection= takes a synchronous connection, and this one is for asyncio; queue from a thread with a connection of its own")
    if hasattr(connection, "get_bind") and callable(getattr(connection, "connection", None)):  # SQLAlchemy's Session
        connection = connection.connection()
    is_postgres = getattr(connection, "vendor", getattr(getattr(connection, "dialect", None), "name", "postgresql")) == "postgresql"
    if is_postgres and hasattr(connection, "exec_driver_sql"):  # SQLAlchemy's Connection, which begins its transaction with the first statement that it sees

        def run_by_sqlalchemy(sql: str, values: Sequence[Any]) -> Any:
            result = connection.exec_driver_sql(sql, tuple(values))
            return result.fetchone() if result.returns_rows else None

        return run_by_sqlalchemy
    if not is_postgres or not callable(getattr(connection, "cursor", None)):
        raise TypeError(f"connection= takes a connection to PostgreSQL of psycopg, Django or SQLAlchemy, and not a {type(connection).__name__}")

    def run(sql: str, values: Sequence[Any]) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql, tuple(values) or None)
            return cursor.fetchone() if cursor.description else None

    return run


def _first(row: Any) -> Any:
    """The only value of a row, whatever rows are on this connection."""
    return next(iter(row.values())) if isinstance(row, Mapping) else row[0]
