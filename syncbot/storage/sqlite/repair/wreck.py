# ruff: noqa: S608 - statements are composed of constants only
"""Reads a damaged state file as far as SQLite can. All work is done on a copy: the file itself is only read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from syncbot.errors import StorageError
from syncbot.regular import opener
from syncbot.storage.promises.data import Scope
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.sqlite.database import Database, Row
from syncbot.storage.sqlite.schema import APPLICATION_ID
from syncbot.storage.sqlite.shapes import TABLES, read_row, readable_text

_PAGE = 4096
_COPIES = 5
_FRUITLESS = 500
"""After so many looks behind destroyed places that have found nothing more, the search in a table ends."""
_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
_KEYS = {"meta": ("name",), "data": ("scope", "owner", "name"), "conversation": ("chat", "user")}
_INT64 = 1 << 63


class Wreck:
    """A state file's copy, open.

    Args:
        db: a connection to it.
        trouble: why the file cannot be opened as it is; "" where it can.
    """

    def __init__(self, db: sqlite3.Connection, trouble: str) -> None:
        self.db = db
        self.trouble = trouble

    def table(self, name: str) -> tuple[list[Row], str]:
        """The rows of a table that can be read, by its key; and why some cannot be, or ""."""
        found: dict[Any, Row] = {}
        trouble, _ = self._scan(found, name)
        if not trouble:
            return list(found.values()), ""
        if name == "data":
            for scope in Scope:
                self._search(found, name, "owner", "scope = ? AND ", (str(scope),))
        else:  # meta's keys are names, which cannot be halved
            self._search(found, name, _KEYS.get(name, ("rowid",))[0], halve=name != "meta")
        return list(found.values()), trouble

    def _search(self, found: dict[Any, Row], table: str, key: str, prefix: str = "", given: tuple[str, ...] = (), *, halve: bool = True) -> None:
        """Look for rows behind destroyed places: from both ends, then in ever smaller ranges of the key, the widest first."""
        where = f"WHERE {prefix}{key} BETWEEN ? AND ?" if halve else ""
        ranges = deque([(-_INT64, _INT64 - 1)])
        parts = _by_length
        fruitless = 0
        while ranges and fruitless < _FRUITLESS:
            low, high = ranges.popleft()
            values = (*given, low, high) if halve else ()
            before = len(found)
            trouble, last = self._scan(found, table, where, values, key)
            if trouble:
                _, first = self._scan(found, table, where, values, key, down=True)
                if halve:
                    ranges += parts(low if last is None else last + 1, high if first is None else first - 1)
                parts = _halves
            fruitless = fruitless + 1 if len(found) == before else 0

    def _scan(
        self, found: dict[Any, Row], table: str, where: str = "", given: Sequence[Any] = (), key: str = "", *, down: bool = False
    ) -> tuple[str, int | None]:
        """Take rows in the order of the key until the end (then the first of the two is "") or an error; the second is the key of the last one taken."""
        last: int | None = None
        columns = (*_KEYS.get(table, ("rowid",)), *TABLES[table])
        width = len(columns) - len(TABLES[table])
        order = ", ".join(f"{name} {'DESC' if down else 'ASC'}" for name in columns[:width])
        try:
            for row in self.db.execute(f"SELECT {', '.join(columns)} FROM {table} {where} ORDER BY {order}", given):
                found[row[0] if width == 1 else row[:width]] = row[width:]
                last = row[columns.index(key)] if key and type(row[columns.index(key)]) is int else last
        except _ERRORS as problem:
            return " ".join(str(problem).split()) or type(problem).__name__, last
        return "", last


def _by_length(low: int, high: int) -> list[tuple[int, int]]:
    """A range of keys in ranges of keys of one length in bits: keys are small, or all alike."""
    edges = (sign * (1 << power) for power in range(63) for sign in (1, -1))
    cuts = [low, *sorted(edge for edge in edges if low < edge <= high), high + 1]
    return [(first, following - 1) for first, following in pairwise(cuts)]


def _halves(low: int, high: int) -> list[tuple[int, int]]:
    middle = (low + high) // 2
    return [(low, middle), (middle + 1, high)] if low < high else []


@contextmanager
def opened_copy(path: Path) -> Iterator[Wreck]:
    """Copy a state file with its log to a folder of its own, and open the copy in the way in which most of it can be read.

    Raises:
        StorageError: it cannot be copied, or nothing of it can be read.
    """
    with tempfile.TemporaryDirectory(prefix="syncbot-check-") as name:
        folder = Path(name)
        _copy(path, folder / "kept.db")
        best, trouble = _open(folder, 0)
        most = _readable_tables(best)
        for turn in (1, 2) if most < len(TABLES) and (trouble or _is_ours(best)) else ():
            other, _ = _open(folder, turn)
            if (found := _readable_tables(other)) > most:
                trouble = trouble or "its list of tables is damaged"
                best, other, most = other, best, found
            other.close()
        try:
            yield Wreck(best, trouble)
        finally:
            with suppress(*_ERRORS):
                best.close()


def _copy(path: Path, target: Path) -> None:
    path = Path(os.path.realpath(path))  # SQLite puts the log beside the file itself, by whatever link that is named
    log = path.with_name(path.name + "-wal")
    try:
        for _ in range(_COPIES):
            before = _stamps(path, log)
            shutil.copyfile(path, target)
            with suppress(FileNotFoundError):
                shutil.copyfile(log, target.with_name(target.name + "-wal"))
            if _stamps(path, log) == before:
                return
    except OSError as problem:
        raise StorageError(f"the state file {path} cannot be read: {problem.strerror or problem}") from problem
    raise StorageError(f"the state file {path} is being written all the time; stop whatever does so (fuser -v {path} shows it)", retryable=True)


def _stamps(*paths: Path) -> list[tuple[int, int] | None]:
    stamps: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            found = path.stat()
            stamps.append((found.st_size, found.st_mtime_ns))
        except FileNotFoundError:
            stamps.append(None)
    return stamps


def _open(folder: Path, turn: int) -> tuple[sqlite3.Connection, str]:
    """A fresh copy as it is; then with another first page, which says where the tables are; then without its log too."""
    copy = folder / f"{turn}.db"
    shutil.copyfile(folder / "kept.db", copy)
    if turn < 2 and (log := folder / "kept.db-wal").exists():
        shutil.copyfile(log, folder / f"{turn}.db-wal")
    if turn:
        with copy.open("r+b") as file:
            file.write(_first_page(folder / "new.db"))
    db = sqlite3.connect(copy, isolation_level=None)
    db.text_factory = readable_text
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except _ERRORS as problem:
        return db, " ".join(str(problem).split())
    return db, ""


def _first_page(new: Path) -> bytes:
    """The first page of a new state file: each one has its tables' roots in the same places. The length is left to the file itself."""
    Database(new, 1, StoreOptions(check=False)).close()
    with open(new, "rb", opener=opener) as file:
        page = bytearray(file.read(_PAGE))
    page[24:28] = (7).to_bytes(4, "big")  # the count of changes and the one below differ: then the length that the page states does not count
    page[32:40] = bytes(8)  # no free pages are known
    page[92:96] = bytes(4)
    return bytes(page)


def _is_ours(db: sqlite3.Connection) -> bool:
    return bool(db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID)


def _readable_tables(db: sqlite3.Connection) -> int:
    """How many of the tables begin as they should."""
    found = 0
    for table, columns in TABLES.items():
        with suppress(*_ERRORS):
            row = db.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 1").fetchone()
            found += row is None or not read_row(table, tuple(columns), row)[1]
    return found
