"""One connection, one lock, one transaction helper: everything that the tables' modules need of SQLite."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from syncbot.errors import StorageError
from syncbot.process import forks
from syncbot.storage.codec import Unreadable
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.sqlite.file.news import News
from syncbot.storage.sqlite.file.sqlite_errors import explained
from syncbot.storage.sqlite.file.state_file import FileIdentity, identity, make_private, prepare
from syncbot.storage.sqlite.schema import bind, check_ours, check_tables, migrate
from syncbot.storage.sqlite.shapes import readable_text

Row = tuple[Any, ...]

_CACHE_KIB = 512
_FREE_PAGES = 256  # 1 MB may lie free; giving it back costs writes, and it is soon needed again
_LOG_PAGES = 1000  # the write-ahead log is moved into the file when it has grown to this many pages (4 MB)


class Database:
    """The state file.

    `lock` guards the connection; whoever keeps facts about the file in memory holds it around the transaction and the change of those
    facts. It is never held while code from outside runs.

    Args:
        path: the file.
        bot_id: whose it must be; None for anybody's.
        options: timeouts, checks, ceiling.

    Raises:
        StorageError: the file cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str], bot_id: int | None, options: StoreOptions) -> None:
        self.path = Path(os.path.abspath(path))
        self.lock = threading.RLock()
        self._options = options
        self._max_pages = options.max_pages
        self._closed = False
        self._pid = os.getpid()
        self._db: sqlite3.Connection | None = None
        self._durable: bool | None = None
        self._version = 0
        self._identity: FileIdentity = prepare(self.path, create=bot_id is not None)
        self.news = News(self.path)
        forks().add(self)
        try:
            with self.lock, explained(str(self.path)):  # a fork waits for the end of it
                self.bot_id = self._adopt(bot_id)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """All that is written inside, or nothing. One within another of the same thread is a part of that.

        Args:
            durable: come back only when it is on the disk (`synchronous=FULL`), and only if the file is still the one in the folder. Otherwise
                it is safe from the death of the process, but not from a power cut (`synchronous=NORMAL`).

        Raises:
            StorageError: nothing was written.
        """
        with self.lock, explained(str(self.path)):
            db = self._connection()
            if db.in_transaction:  # whoever holds the lock has begun it
                yield db
                return
            if durable:
                self._check_still_there()
            self._set_durable(db, durable)
            before = db.total_changes
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                self._roll_back(db)
                raise
            if db.total_changes != before:
                self.news.tell()

    def write(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Write with one statement, which is a transaction of its own, or a part of the one of this thread; returns how many rows it has changed.

        Raises:
            StorageError: nothing was written.
        """
        with self.lock, explained(str(self.path)):
            db = self._connection()
            is_part = db.in_transaction
            if not is_part:
                self._set_durable(db, False)
            changed = db.execute(sql, parameters).rowcount
            if changed and not is_part:
                self.news.tell()
            return changed

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Look at the tables, outside of any transaction."""
        with self.lock, explained(str(self.path)):
            yield self._connection()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Read, outside of any transaction."""
        with self.reading() as db:
            return db.execute(sql, parameters).fetchall()

    def changed_by_others(self) -> bool:
        """Whether another connection has committed since the last call."""
        with self.lock:
            version = int(self.rows("PRAGMA data_version")[0][0])
            changed, self._version = version != self._version, version
            return changed

    def limit_pages(self, pages: int | None) -> None:
        """Set a ceiling for the file, or take it away; an existing file is not cut."""
        with self.lock, explained(str(self.path)):
            self._max_pages = pages
            if self._db is not None:
                self._db.execute(f"PRAGMA max_page_count = {int(pages or 0xFFFFFFFE)}").fetchall()

    def give_back_space(self) -> None:
        """Shorten the file when more than half of it is free; some free pages stay for what comes next."""
        with self.lock, explained(str(self.path)):
            db = self._connection()
            free = int(db.execute("PRAGMA freelist_count").fetchone()[0])
            total = int(db.execute("PRAGMA page_count").fetchone()[0])
            if free > _FREE_PAGES and free * 2 > total:
                self._set_durable(db, False)
                for _ in range(free // _FREE_PAGES):  # in small steps, so that the log stays small
                    db.executescript(f"PRAGMA incremental_vacuum({_FREE_PAGES})")  # execute() would stop after the first page

    def close(self) -> None:
        """Let go of the file."""
        self.news.close()
        with self.lock:
            self._closed = True
            self._disconnect()
        forks().remove(self)  # without the own lock, which a fork that has begun may be about to take

    def before_fork(self) -> None:
        """No connection is open while the process forks."""
        self.lock.acquire()
        self._disconnect()

    def after_fork_in_parent(self) -> None:
        """Go on; the connection is made anew when it is needed."""
        self.lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew with a lock that no other thread can hold."""
        self.lock = threading.RLock()
        self._pid = os.getpid()
        self.news.after_fork_in_child()

    def _adopt(self, bot_id: int | None) -> int:
        """Connect for the first time, and find out or settle what the file is."""
        self._db = db = self._connect()
        path = str(self.path)
        if not check_ours(db, path):
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only possible before the first page is written
        _log_ahead(db, path, self._options.busy_timeout)
        migrate(db, path)
        check_tables(db)
        owner = bind(db, path, bot_id)
        make_private(self.path, self._identity)
        if self._options.check:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise Unreadable(str(found))
        self._start()
        return owner

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageError(f"the state file {self.path} has been closed")
        if self._pid != os.getpid():
            raise StorageError(
                f"the state file {self.path} was opened before this process was forked in a way that Python was not told of; open it after the fork"
            )
        if self._db is None:
            self._check_still_there()
            self._db = self._connect()
            self._start()
        return self._db

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a file that is gone must not come back empty.
        uri = f"file:{quote(os.fsencode(self.path))}?mode=rw"
        db = sqlite3.connect(uri, uri=True, timeout=self._options.busy_timeout, isolation_level=None, check_same_thread=False)
        db.text_factory = readable_text
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # finds out here and now whether it is a database
        except BaseException:
            db.close()
            raise
        return db

    def _start(self) -> None:
        assert self._db is not None
        for pragma in (f"cache_size = -{_CACHE_KIB}", "temp_store = MEMORY", f"wal_autocheckpoint = {_LOG_PAGES}", f"journal_size_limit = {_LOG_PAGES * 4096}"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._durable = None
        self._version = 0  # a new connection counts from its own beginning: report a change once rather than miss one
        self.limit_pages(self._max_pages)

    def _disconnect(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(sqlite3.Error, UnicodeDecodeError):  # what was committed is in the log, and the next one to open moves it into the file
                db.close()

    def _set_durable(self, db: sqlite3.Connection, durable: bool) -> None:
        if self._durable is not durable:
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _roll_back(self, db: sqlite3.Connection) -> None:
        try:
            if db.in_transaction:  # SQLite may have rolled back by itself
                db.execute("ROLLBACK")
        except (sqlite3.Error, UnicodeDecodeError):
            self._disconnect()  # closing undoes what was not committed

    def _check_still_there(self) -> None:
        # A file that was deleted or replaced can still be written to, and everything would be lost when it is closed.
        with suppress(OSError):
            if identity(self.path) == self._identity:
                return
        raise StorageError(f"the state file {self.path} was deleted or replaced while it was in use; put it back, or start the bot again with the new one")


def _log_ahead(db: sqlite3.Connection, path: str, patience: float) -> None:
    """Switch to a write-ahead log; SQLite does not wait for others there, so that is done here."""
    end = time.monotonic() + patience
    pause = threading.Event()
    while True:
        try:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            pause.wait(0.01)
        else:
            if mode != "wal":
                raise StorageError(
                    f"the folder of the state file {path} does not allow a write-ahead log; choose a path on a local disk, not on a network drive"
                )
            return
