"""The state file as a file: its folder, its mode, who may write it, and whether it is still the one that was opened."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.process import sync_folder
from syncbot.regular import what_else

_log = logging.getLogger(__name__)

FileIdentity = tuple[int, int]
"""Device and inode."""


def prepare(path: Path, *, create: bool) -> FileIdentity:
    """See to it that the file is there and can be written; one that is made has mode 600, whatever the umask.

    Args:
        path: absolute.
        create: make the file, and its folder (mode 700), where they are missing.

    Raises:
        StorageError: it cannot be used; nothing but a missing folder or an empty file was made.
    """
    try:
        if create and not path.exists():
            _make_folder(path.parent)
            _make_file(path)
        _check(path)
        return identity(path)
    except ValueError as problem:  # a NUL in the path
        raise StorageError(f"the state file {str(path)!r} has a name that is none: {problem}") from None
    except OSError as problem:
        raise StorageError(
            f"the state file {path} cannot be used: {problem.strerror or problem}; choose another path with state= or SYNCBOT_STATE"
        ) from problem


def identity(path: Path) -> FileIdentity:
    """Which file it is, whatever its name.

    Raises:
        OSError: there is none.
    """
    found = path.stat()
    return found.st_dev, found.st_ino


def make_private(path: Path, known: FileIdentity) -> None:
    """Give the state file, which has been found to be ours, mode 600, and its log and index too; somebody else's stay as they are.

    Args:
        path: the file.
        known: which one was found to be ours.
    """
    real = Path(os.path.realpath(path))  # where SQLite puts the others
    _set_mode(real, lambda facts: (facts.st_dev, facts.st_ino) == known)
    for ending in ("-wal", "-shm"):
        _set_mode(real.with_name(real.name + ending), lambda facts: facts.st_nlink == 1)


def _set_mode(path: Path, is_ours: Callable[[os.stat_result], bool]) -> None:
    def needed(facts: os.stat_result) -> bool:
        return stat.S_ISREG(facts.st_mode) and stat.S_IMODE(facts.st_mode) != 0o600 and facts.st_uid == os.geteuid() and is_ours(facts)

    with suppress(OSError):  # it has gone, or the file system knows no modes
        if sys.platform != "linux":
            if needed(path.lstat()):
                os.chmod(path, 0o600, follow_symlinks=False)
            return
        # O_PATH opens nothing: closing any other descriptor would take away the locks that SQLite holds on the file for this whole process.
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if needed(os.fstat(descriptor)):
                os.chmod(f"/proc/self/fd/{descriptor}", 0o600)  # fchmod() refuses such a descriptor
        finally:
            os.close(descriptor)


def _make_folder(folder: Path) -> None:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        with suppress(FileExistsError):  # another process may be making the same one
            parent.mkdir(mode=0o700)
            parent.chmod(0o700)  # the umask may have taken away too much
    if not folder.is_dir():
        raise StorageError(f"the state file cannot be made: {folder} is not a folder")


def _make_file(path: Path) -> None:
    # By mknod, because it opens nothing: a descriptor closed here would take away the locks that another thread's connection to the same new
    # file may hold already.
    with suppress(FileExistsError):
        try:
            os.mknod(path, 0o600 | stat.S_IFREG)
        except PermissionError:  # systems on which only the superuser may call it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        _set_mode(path, lambda facts: facts.st_nlink == 1 and not facts.st_size)  # the umask may have taken away too much
    sync_folder(path.parent)


def _check(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise StorageError(f"the state file {path} is a link to {os.path.realpath(path)}, which is not there; make that with touch, or name another file")
    if not path.exists():
        raise StorageError(f"there is no state file {path}; name the right one with state= or SYNCBOT_STATE, or start the bot once to make it")
    if path.is_dir():
        raise StorageError(f"the state file {path} is a folder; name a file in it, for example {path / 'bot.db'}")
    if not path.is_file():
        raise StorageError(f"the state file {path} is not an ordinary file ({what_else(path)}); name one on a local disk")
    if path.stat().st_nlink > 1:  # a log stands beside each name, and SQLite destroys a file that is used by two of them
        _log.warning("the state file %s has another name (a hard link), by which no bot may use it: find / -xdev -samefile %s shows it", path, path)
    user = f"the bot's user (uid {os.geteuid()})"
    if not os.access(path, os.R_OK | os.W_OK):
        raise StorageError(f"the state file {path} is read-only for {user}; give it the right to write: chown or chmod, or choose another path")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StorageError(
            f"the folder {path.parent} of the state file is read-only for {user}, and a log is kept beside the file; allow writing, or choose another path"
        )
