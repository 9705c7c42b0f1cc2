"""The database as the tables' modules need it: transactions of the calling thread, and what became of one whose answer was lost."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import psycopg
from psycopg import pq

from syncbot.errors import StorageError
from syncbot.process import forks
from syncbot.storage.address import DatabaseUrl
from syncbot.storage.postgres.server.news import PgNews
from syncbot.storage.postgres.server.pg_errors import explained
from syncbot.storage.postgres.server.pool import Connection, ConnectionPool, Connector, pipelined
from syncbot.storage.postgres.server.schema import bind, migrate
from syncbot.storage.promises.store import StoreOptions

Row: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]
Mark: TypeAlias = tuple[uuid.UUID, int]
"""Of a transaction: the name of its connection, and how many that one has committed with it."""

TRANSACTIONS = 0x53594E45
"""With the bot: the advisory lock that each of its transactions shares, by which others tell it from all else that works in the database ("SYNE")."""

# The numbers that the server gives to transactions do not do: after a crash it gives those again of which nothing had come to the disk.
_MARK = """INSERT INTO syncbot.written AS w (bot, connection, number) VALUES (%s, %s, 1)
    ON CONFLICT (bot, connection) DO UPDATE SET number = w.number + 1, at = now()
    RETURNING number, pg_advisory_xact_lock_shared(%s, hashint8(bot))"""
# While the transaction is under way, this waits for it.
_MARKED = """INSERT INTO syncbot.written AS w (bot, connection, number) VALUES (%s, %s, 0)
    ON CONFLICT (bot, connection) DO UPDATE SET number = w.number RETURNING number"""
# Not sooner: whoever comes back to a database that was away for hours still asks.
_FORGET = """DELETE FROM syncbot.written WHERE bot = %(bot)s AND connection IN (
    SELECT connection FROM syncbot.written WHERE bot = %(bot)s AND at < now() - interval '1 day' FOR UPDATE SKIP LOCKED)"""
_LOOK_AGAIN_SECONDS = 0.1
_UNKNOWN_SECONDS = 60.0


class CommitUnknown(StorageError):
    """The answer to a COMMIT was lost, and what became of it could not be found out yet.

    Args:
        message: what is wrong.
        transaction: its mark, by which `PgDatabase.outcome` finds it out.
    """

    def __init__(self, message: str, transaction: Mark) -> None:
        super().__init__(message, retryable=True)
        self.transaction = transaction


class PgDatabase:
    """A database with the tables of bots.

    Args:
        url: where it is.
        bot_id: whose rows; None for those of the only bot in it.
        options: timeouts, connections.

    Raises:
        StorageError: it cannot be used.
        ConfigError: nobody can read its URL, or who it names is not let in.
    """

    def __init__(self, url: DatabaseUrl, bot_id: int | None, options: StoreOptions) -> None:
        self.url = url
        self.place = str(url)
        self.options = options
        self.connector = Connector(url.secret, options.busy_timeout, options.lease_seconds)
        self.pool = ConnectionPool(self.connector, options.connections, options.busy_timeout, self.place)
        self._here = threading.local()
        self.on_fork_in_child: Callable[[], object] = lambda: None
        """What is called in a child; who has a connection of its own abandons it there."""
        forks().add(self)
        try:
            with explained(self.place, is_start=True), self.pool.connection() as connection:
                migrate(connection, self.place, options.busy_timeout)
                self.bot = bind(connection, self.place, bot_id)
        except BaseException:
            self.pool.close()
            forks().remove(self)
            raise
        self.news = PgNews(self.pool, self.bot)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is written inside, or nothing. One within another of the same thread is a part of that.

        Statements go out one after the other, and only who fetches what one found waits for it, and for all before it; so the error of another shows later,
        at the latest when the block is over. Then all is on the server's disk. Where the connection breaks at the COMMIT, what became of it is found out by
        the mark that it leaves.

        Raises:
            StorageError: nothing was written.
            CommitUnknown: nobody knows yet.
        """
        outer = self._outer()
        if outer is not None:
            yield outer
            return
        with explained(self.place), self.pool.connection() as connection:
            mark: Mark | None = None
            try:
                with pipelined(connection):
                    connection.execute("BEGIN")
                    name = self.pool.name_of(connection)
                    marked = connection.execute(_MARK, (self.bot, name, TRANSACTIONS))
                    self._here.connection = connection
                    try:
                        yield connection
                    finally:
                        self._here.connection = None
                    mark = name, marked.fetchall()[0][0]  # before the COMMIT goes out: it is needed where its answer is lost
                    connection.execute("COMMIT")  # passed over by the server where a statement has failed
            except BaseException as problem:
                self._after_failure(connection, mark, problem)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Look at the tables: within the calling thread's transaction, or outside of any."""
        outer = self._outer()
        if outer is not None:
            yield outer
            return
        with explained(self.place), self.pool.connection() as connection:
            yield connection

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Read; see `reading`."""
        with self.reading() as db:
            return db.execute(sql, parameters).fetchall()

    def outcome(self, transaction: Mark) -> bool:
        """Whether a transaction was committed whose connection is lost; while the server still works at it, this waits.

        Raises:
            StorageError: it cannot be asked, or is not done with it.
        """
        name, number = transaction
        with explained(self.place), self.pool.connection() as connection:
            return connection.execute(_MARKED, (self.bot, name)).fetchall() == [(number,)]

    def check_committed(self, unknown: CommitUnknown) -> None:
        """Come back when it is certain that something was written that must not be written twice.

        Raises:
            StorageError: it was not, and may be done again (retryable); or nobody knows after a minute, and then it may not.
        """
        outcome = self._outcome_within(unknown.transaction, _UNKNOWN_SECONDS)
        if outcome is None:
            raise StorageError(f"the database {self.place} was lost while it wrote, and is not back: nobody knows whether it did; look before you repeat it")
        if not outcome:
            raise StorageError(f"the database {self.place} was lost while it wrote, and nothing was written; it can be tried again", retryable=True)

    def close(self) -> None:
        """Let go of the database."""
        self.news.close()
        self.pool.close()
        forks().remove(self)

    def before_fork(self) -> None:
        """See `syncbot.process.Forkable`."""
        self.pool.before_fork()

    def after_fork_in_parent(self) -> None:
        """See `syncbot.process.Forkable`."""
        self.pool.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """See `syncbot.process.Forkable`."""
        self._here = threading.local()
        self.pool.after_fork_in_child()
        self.on_fork_in_child()
        self.on_fork_in_child = lambda: None

    def _outer(self) -> Connection | None:
        """The connection of the calling thread's transaction."""
        connection: Connection | None = getattr(self._here, "connection", None)
        return connection

    def _after_failure(self, connection: Connection, mark: Mark | None, problem: BaseException) -> None:
        """Raise what has ended a transaction; nothing, where it was committed all the same. The mark is that of one whose COMMIT went out."""
        status = connection.info.transaction_status
        is_undone = mark is None or not isinstance(problem, psycopg.Error) or status == pq.TransactionStatus.INERROR
        if status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR):  # else nobody answers, or it is over
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
        connection.close()  # psycopg takes for prepared, for good, what the server has passed over
        if mark is not None and not is_undone:
            self.pool.drop_idle()  # whatever broke this one has broken those too, or is about to
            if self._was_committed(mark):
                return
        if isinstance(problem, psycopg.errors.PipelineAborted):
            raise RuntimeError("a statement of this transaction has failed, and its error was passed over: nothing was written") from problem
        raise problem

    def _was_committed(self, mark: Mark) -> bool:
        """Find out what became of a transaction whose answer was lost.

        Raises:
            CommitUnknown: it could not be found out in time.
        """
        outcome = self._outcome_within(mark, self.options.busy_timeout)
        if outcome is None:
            raise CommitUnknown(f"the database {self.place} was lost while it wrote; whether it did is looked up when it is back", mark)
        return outcome

    def _outcome_within(self, mark: Mark, seconds: float) -> bool | None:
        end = time.monotonic() + seconds
        pause = threading.Event()
        while True:
            with suppress(StorageError):
                return self.outcome(mark)
            if time.monotonic() >= end:
                return None
            pause.wait(_LOOK_AGAIN_SECONDS)


def forget_marks(db: Connection, bot: int) -> None:
    """Forget those of connections that have written nothing for long, which nobody asks for any more; within a transaction."""
    db.execute(_FORGET, {"bot": bot})
