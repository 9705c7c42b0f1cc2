"""From SQLite's errors to ours: one table, which says what happened, whether it may pass by itself, and how to mend it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from syncbot.errors import StorageError
from syncbot.storage.codec import Unreadable


class StorageFault(NamedTuple):
    """What one of SQLite's result codes means to us; `{path}` and `{detail}` are filled in."""

    text: str
    retryable: bool = False


_DAMAGED = StorageFault(
    "the state file {path} is damaged ({detail}); nothing was deleted. Stop the bot, and save what can be read into a new file with: "
    "syncbot check-state {path} --salvage-into {path}.new; then move {path} and its -wal away, and the new file into its place "
    "(or start with an empty one)"
)
_IN_USE = StorageFault(
    "the state file {path} is locked by another program ({detail}); find it with: fuser -v {path}, and end it, or wait until it is done", retryable=True
)
_READ_ONLY = StorageFault("the state file {path} cannot be written ({detail}); give the bot's user the right to write the file and its folder: ls -ld {path}")
_CANNOT_OPEN = StorageFault(
    "the state file {path} cannot be opened ({detail}); it and its folder must exist, be readable and writable for the bot's user, and lie on a local disk"
)

FAULTS = {
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_IOERR_SHORT_READ: _DAMAGED,  # its end is missing, which does not pass
    sqlite3.SQLITE_CONSTRAINT: _DAMAGED,  # what we write fits the tables, as long as these hold what we wrote before
    sqlite3.SQLITE_MISMATCH: _DAMAGED,
    sqlite3.SQLITE_TOOBIG: _DAMAGED,
    sqlite3.SQLITE_INTERNAL: _DAMAGED,
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_PROTOCOL: _IN_USE,
    sqlite3.SQLITE_FULL: StorageFault(
        "the disk that holds the state file {path} is full ({detail}); nothing was lost. Make room: it goes on by itself", retryable=True
    ),
    sqlite3.SQLITE_IOERR: StorageFault(
        "the state file {path} could not be read or written ({detail}); nothing was lost. A full disk or a quota does that (make room: it goes on by itself), "
        "or a failing disk: look into the kernel's log with dmesg",
        retryable=True,
    ),
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_AUTH: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _CANNOT_OPEN,
    sqlite3.SQLITE_NOLFS: _CANNOT_OPEN,
}
"""By result code; an extended one that is not here counts as its primary one."""


def storage_error(problem: Exception, path: str) -> StorageError | None:
    """Our error for one of reading or writing the file, or None where it is a mistake in our own code."""
    code = getattr(problem, "sqlite_errorcode", None)
    fault: StorageFault | None = _DAMAGED
    if isinstance(code, int) and code & 0xFF != sqlite3.SQLITE_ERROR:
        fault = FAULTS.get(code) or FAULTS.get(code & 0xFF)
    elif isinstance(problem, sqlite3.ProgrammingError | sqlite3.InterfaceError) or "syntax error" in str(problem):
        fault = None  # else it is a table or column that is not there, a text that is none, a trigger of somebody else's
    if fault is None:
        return None
    return StorageError(fault.text.format(path=path, detail=" ".join(str(problem).split())), retryable=fault.retryable)


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn SQLite's errors, and those of what a damaged file holds, into `StorageError` on the way out."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError, Unreadable) as problem:  # SQLite's own words may quote a damaged name
        ours = storage_error(problem, path)
        if ours is None:
            raise
        raise ours from problem
