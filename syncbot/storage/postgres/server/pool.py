"""Connections to the database: opened by the thread that needs one, so that it hears at once, and in words, why there is none."""

from __future__ import annotations

import os
import select
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import psycopg
from psycopg import pq

from syncbot.errors import StorageError
from syncbot.secret import Secret
from syncbot.storage.address import unreadable_url
from syncbot.storage.postgres.server.pg_errors import connection_error

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_CONNECT_SECONDS = 5
_IDLE_SECONDS = 60.0
_KEEPS_ALIVE: dict[str, Any] = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "syncbot",
}
# Statements of ours go by an index, also while nothing is known of fresh tables, and are planned once for each connection, which may take longer than to
# run them; what a frozen process has begun does not hold up the others; who has waited for a lock sees what was written before it was given;
# and functions and operators are the server's own, whatever others have defined in the database.
_SETTINGS = """SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'), ('jit', 'off'),
    ('client_connection_check_interval', '2s'), ('client_encoding', 'UTF8'),
    ('plan_cache_mode', 'force_generic_plan'), ('default_transaction_isolation', 'read committed'), ('search_path', 'pg_catalog'),
    ('lock_timeout', %s), ('statement_timeout', %s), ('idle_in_transaction_session_timeout', %s)) AS given (name, value)"""


class Connector:
    """Opens connections.

    Args:
        url: of the database.
        busy_seconds: how long a statement waits for a lock at most.
        lease_seconds: when others take over what a frozen process has; what it has begun must be over before.

    Raises:
        ConfigError: the URL is none. What libpq says of that repeats the password.
    """

    def __init__(self, url: Secret[str], busy_seconds: float, lease_seconds: float) -> None:
        self._url = url
        given = _options_of(url)
        self._keeps_alive = {name: value for name, value in _KEEPS_ALIVE.items() if name not in given}
        self._lock_timeout = f"{max(1, round(busy_seconds * 1000))}ms"
        self._statement_timeout = f"{round(busy_seconds * 1000) + 25_000}ms"
        self._idle_timeout = f"{round(min(5.0, max(0.5, lease_seconds / 3)) * 1000)}ms"

    def connect(self) -> Connection:
        """A new connection, without a transaction of its own.

        Raises:
            psycopg.Error: there is none; without the frames that know the password.
            ConfigError: the URL names an option that there is not, or cannot have its value, or a server that cannot be one.
        """
        refusal: Exception
        try:
            connection: Connection = psycopg.connect(self._url.reveal(), autocommit=True, **self._keeps_alive)
        except (psycopg.ProgrammingError, UnicodeError):  # the second is of a server's name, which is to be looked up
            refusal = unreadable_url()
        except psycopg.Error as problem:
            refusal = connection_error(problem)
        else:
            try:
                connection.execute(_SETTINGS, (self._lock_timeout, self._statement_timeout, self._idle_timeout))
            except BaseException:
                connection.close()
                raise
            return connection
        raise refusal


def _options_of(url: Secret[str]) -> frozenset[str]:
    """The options that a URL gives.

    Raises:
        ConfigError: it is none.
    """
    try:
        return frozenset(one.keyword.decode() for one in pq.Conninfo.parse(url.reveal().encode()) if one.val)
    except (psycopg.Error, UnicodeEncodeError):
        pass  # and out of its context
    raise unreadable_url()


class ConnectionPool:
    """Connections that are used again: what was given back last is taken first, and one that nobody has wanted for a minute is closed.

    Args:
        connector: opens them.
        most: so many at once; who comes then waits.
        patience: how many seconds.
        place: the database, in words.
    """

    def __init__(self, connector: Connector, most: int, patience: float, place: str) -> None:
        self._connector = connector
        self._most = most
        self._patience = patience
        self._place = place
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._room = threading.Semaphore(self._most)
        self._idle: list[tuple[Connection, float]] = []
        self._open: dict[Connection, uuid.UUID] = {}
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One for the block; what is broken, or within a transaction, is not used again.

        Raises:
            StorageError: the pool has been closed, or all are in use.
            psycopg.Error: there is none.
        """
        if not self._room.acquire(timeout=self._patience):
            raise StorageError(f"all {self._most} connections to the database {self._place} are in use; it is tried again", retryable=True)
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._room.release()

    def name_of(self, connection: Connection) -> uuid.UUID:
        """The name of one that is in use; no other has it, ever."""
        return self._open[connection]

    def close(self) -> None:
        """Close them; those that are in use when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            self._drop(connection)

    def drop_idle(self) -> None:
        """Close those that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            self._drop(connection)

    def before_fork(self) -> None:
        """Let a step that is under way come to its end."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """The connections are the parent's; a copy of their sockets would keep its locks when it dies."""
        inherited, closed = self._open, self._closed
        for connection in inherited:
            abandon(connection)
        self._begin()
        self._closed = closed
        self._inherited = inherited  # kept, so that nothing ends them

    def _take(self) -> Connection:
        while True:
            with self._lock:
                if self._closed:
                    raise StorageError(f"the connections to the database {self._place} have been closed")
                if self._pid != os.getpid():
                    raise StorageError(f"the database {self._place} was opened before this process was forked in a way that Python was not told of")
                if not self._idle:
                    break
                connection, _ = self._idle.pop()
            if is_alive(connection):
                return connection
            self._drop(connection)
        connection = self._connector.connect()
        with self._lock:
            self._open[connection] = uuid.uuid4()
        return connection

    def _give_back(self, connection: Connection) -> None:
        now = time.monotonic()
        old: list[Connection] = []
        with self._lock:
            is_sound = not connection.closed and connection.info.transaction_status == pq.TransactionStatus.IDLE
            if is_sound and not self._closed:
                self._idle.append((connection, now))
                while self._idle[0][1] < now - _IDLE_SECONDS:
                    old.append(self._idle.pop(0)[0])
            else:
                old.append(connection)
        for one in old:
            self._drop(one)

    def _drop(self, connection: Connection) -> None:
        with self._lock:
            self._open.pop(connection, None)
        with suppress(psycopg.Error):
            connection.close()


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """Have statements wait for nobody: each goes out at once, and what it found, or its error, comes when somebody fetches, or with the end of the block.

    psycopg's own block logs each error that comes while another one is on its way, and may raise that it gave up instead of what it gave up for.
    """
    failure: BaseException | None = None
    try:
        with connection.pipeline():
            try:
                yield
            except BaseException as problem:
                failure = problem
    except psycopg.Error as problem:
        failure = failure or _cause_of(problem)
    if failure is not None:
        try:
            raise failure
        finally:
            failure = None  # else it and this frame keep each other


def _cause_of(problem: psycopg.Error) -> psycopg.Error:
    """The error for which those after it were given up."""
    while isinstance(problem, psycopg.errors.PipelineAborted) and isinstance(problem.__context__, psycopg.Error):
        problem = problem.__context__
    return problem


def is_alive(connection: Connection) -> bool:
    """Whether nothing has come over an idle connection: what does is its end. Costs no round trip."""
    if connection.closed:
        return False
    look = select.poll()
    look.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not look.poll(0)


def abandon(connection: Connection) -> None:
    """Let go of a parent's connection in its child, without a word to the database."""
    with suppress(psycopg.Error, OSError):
        os.close(connection.fileno())
