"""The copy of a state file that is kept before its tables are changed, for whoever wants to go back to the release that made it."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.process import sync_folder
from syncbot.storage.sqlite.upgrade.turns_file import apply_turns_file

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def keep_copy(path: Path, version: int) -> Path:
    """Copy a state file, with what stands in its log and its turns file, beside it; it has its name when it is whole and on the disk.

    Args:
        path: the file; the caller keeps others from writing to it meanwhile.
        version: its format.

    Returns:
        The copy, mode 600.

    Raises:
        StorageError, sqlite3.Error: there is none; retryable where the disk is full.
    """
    part = path.with_name(f"{path.name}.v{version}.part")
    copy = path.with_name(f"{path.name}.v{version}-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        part.unlink(missing_ok=True)  # left by a process that died here
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            with suppress(OSError):  # only the superuser may, and only there it makes a difference
                os.fchown(descriptor, path.stat().st_uid, path.stat().st_gid)
            _fill(part, path)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.rename(copy)
        with suppress(OSError):  # some file systems cannot
            sync_folder(path.parent)
    except OSError as problem:
        raise StorageError(
            f"the state file {path} was not changed to the new format, since no copy of it could be kept: {problem.strerror}",
            retryable=problem.errno in _FULL,
        ) from problem
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return copy


def _fill(part: Path, path: Path) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode = OFF")  # it is thrown away where something goes wrong
        with closing(sqlite3.connect(path)) as source:
            source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # a log of its own would stay beside it
        run = target.execute("SELECT value FROM meta WHERE name = 'store.run'").fetchone()
        target.execute("BEGIN")
        apply_turns_file(target, Path(f"{path}-turns"), int(run[0]) if run else 0)
        target.execute("COMMIT")
