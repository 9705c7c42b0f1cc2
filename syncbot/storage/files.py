"""The state file as a file: its folder, its mode, who may write it, and whether it is still the one that was opened."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from syncbot.errors import StorageError

FileIdentity = tuple[int, int]
"""Device and inode."""


def prepare(path: Path, *, create: bool) -> FileIdentity:
    """See to it that the file is there, can be written, and is nobody else's to read (mode 600, whatever the umask).

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
        path.chmod(0o600)  # the umask may have taken away too much
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the name must survive a power cut as the contents do
    finally:
        os.close(folder)


def _check(path: Path) -> None:
    if not path.exists():
        raise StorageError(f"there is no state file {path}; name the right one with state= or SYNCBOT_STATE, or start the bot once to make it")
    if path.is_dir():
        raise StorageError(f"the state file {path} is a folder; name a file in it, for example {path / 'bot.db'}")
    if not path.is_file():
        raise StorageError(f"the state file {path} is not an ordinary file; name one on a local disk")
    user = f"the bot's user (uid {os.geteuid()})"
    if not os.access(path, os.R_OK | os.W_OK):
        raise StorageError(f"the state file {path} is read-only for {user}; give it the right to write: chown or chmod, or choose another path")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StorageError(
            f"the folder {path.parent} of the state file is read-only for {user}, and a log is kept beside the file; allow writing, or choose another path"
        )
    _make_private(path)


def _make_private(path: Path) -> None:
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        # Somebody else's file stays as it is: that this user may write it at all was granted on purpose.
        with suppress(FileNotFoundError, PermissionError):
            if stat.S_IMODE(name.stat().st_mode) & 0o177:
                name.chmod(0o600)
