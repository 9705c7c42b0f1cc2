# ruff: noqa: S608 - statements are composed of constants only
"""A state file that is copied, or written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from syncbot.errors import AlreadyRunning, StorageError
from syncbot.process import sync_folder
from syncbot.regular import opener
from syncbot.storage.bot_lock import BotLock, file_lock_path
from syncbot.storage.copying.tables import COLUMNS, Row
from syncbot.storage.promises.journal import MOST_STEPS
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.sqlite.store import SqliteStore

_READ = {
    "meta": "SELECT name, value FROM meta WHERE name NOT LIKE 'store.%' OR name = 'store.next_offset'",
    "inbox": "SELECT seq, update_id, chat, stored, state, attempts, alone, suspect, json FROM inbox JOIN body USING (seq) WHERE state <> 'done' ORDER BY seq",
    "journal": f"SELECT place / {MOST_STEPS}, place % {MOST_STEPS}, what, target, outcome FROM journal ORDER BY place",
}
_WRITE = {
    "inbox": "INSERT INTO inbox (seq, update_id, chat, stored, state, attempts, alone, suspect) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "journal": f"INSERT INTO journal (place, what, target, outcome) VALUES (? * {MOST_STEPS} + ?, ?, ?, ?)",
}
_BODY = "INSERT INTO body (seq, json) VALUES (?, ?)"
_CHUNK_BYTES = 256 * 1024


@contextmanager
def nobody_runs_on(path: Path) -> Iterator[None]:
    """Keep the lock of the bot meanwhile.

    Raises:
        AlreadyRunning: a bot has it.
    """
    lock = BotLock(file_lock_path(path))
    if not lock.acquire():
        raise AlreadyRunning(f"a bot runs on {path} (it holds {lock.path}); stop it first, for example with systemctl stop, then copy the state")
    try:
        yield
    finally:
        lock.release()


class StateFileSource:
    """`CopySource` of a state file, whose lock the caller has.

    Args:
        path: the file.
        db: a connection with a transaction, which sees one moment.
    """

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db

    def rows(self, table: str) -> Iterator[Row]:
        sql = _READ.get(table) or f"SELECT {', '.join(COLUMNS[table])} FROM {table}"
        return iter(self._db.execute(sql))

    def file(self, name: str) -> Iterator[bytes]:
        try:
            with open(_folder(self._path) / Path(name).name, "rb", opener=opener) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as problem:
            raise StorageError(
                f"the file {name} of a call in the outbox of {self._path} cannot be read ({problem.strerror}); drop the call with syncbot outbox drop"
            ) from None

    def finish(self) -> None:
        """The lock has kept everybody away."""


@contextmanager
def file_source(path: Path) -> Iterator[tuple[int, StateFileSource]]:
    """A state file to be copied, and whose it is: what its last run left unfinished is put back first, as at a start.

    Raises:
        AlreadyRunning: a bot runs on it.
        StorageError: it cannot be used.
    """
    with nobody_runs_on(path):
        with SqliteStore(path, None, now=time.time, options=StoreOptions()) as store:
            bot = store.bot_id
            store.inbox.recover()
            _settle_outbox(store)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as db:
            db.execute("BEGIN")
            yield bot, StateFileSource(path, db)


class FileTarget:
    """`CopyTarget` in a new state file.

    Args:
        db: a connection to it, within a transaction.
        folder: where copies of files go.
    """

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._last = 0

    def write(self, table: str, rows: Iterable[Row]) -> int:
        columns = COLUMNS[table]
        sql = _WRITE.get(table) or f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        number = 0
        for row in rows:
            if table == "inbox":
                self._db.execute(sql, row[:8])
                self._db.execute(_BODY, (row[0], row[8]))
            else:
                self._db.execute(sql, row)
            if table in ("inbox", "seen"):
                self._last = max(self._last, row[COLUMNS[table].index("seq")])
            number += 1
        if table == "seen" and self._last:  # numbers go on behind those that were ever given
            sql = "INSERT OR IGNORE INTO inbox (seq, update_id, chat, stored, state) VALUES (?, 0, '', 0.0, 'done')"
            if self._db.execute(sql, (self._last,)).rowcount:
                self._db.execute(_BODY, (self._last, b"null"))
        return number

    def write_file(self, chunks: Iterator[bytes]) -> str:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{uuid.uuid4().hex}.copy"
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return name


@contextmanager
def file_target(path: Path, bot: int) -> Iterator[FileTarget]:
    """A new state file of a bot, which is in its place when the block has ended well; a death before leaves none there.

    Raises:
        AlreadyRunning: a bot runs on it.
        StorageError: there is one already, or it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{path.name}.copying")
    with nobody_runs_on(path):
        if os.path.lexists(path):
            raise StorageError(f"{path} exists already, and nothing is written over; give a name that is free, or move it away")
        _remove(new)
        try:
            with SqliteStore(new, bot, now=time.time, options=StoreOptions()) as store, store._database.transaction(durable=True) as db:
                yield FileTarget(db, _folder(new))
            if _folder(path).is_dir():  # of a copy that died just here
                shutil.rmtree(_folder(path))
            if _folder(new).is_dir():
                sync_folder(_folder(new))
                _folder(new).rename(_folder(path))
            new.rename(path)
            sync_folder(path.parent)
        except BaseException:
            _remove(new)
            raise


def _settle_outbox(store: SqliteStore) -> None:
    """What a deliverer that is gone had to send: queued, or uncertain.

    Raises:
        AlreadyRunning: one is at work.
    """
    folder = _folder(Path(store.path))
    for owner in store.outbox.outlook().owners:
        lock = BotLock(folder / f"{owner}.lock")
        if folder.is_dir() and not lock.acquire():
            raise AlreadyRunning(f"something delivers the outbox of {store.path} just now; stop it first, or wait for its end")
        store.outbox.abandon(owner)
        lock.release()
        with suppress(OSError):
            lock.path.unlink()


def _folder(path: Path) -> Path:
    """Where the copies of files lie that a state file speaks of."""
    return Path(f"{path}.outbox")


def _remove(new: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{new}{end}").unlink(missing_ok=True)
    shutil.rmtree(_folder(new), ignore_errors=True)
