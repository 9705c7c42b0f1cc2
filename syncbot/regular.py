"""Regular files, opened so that nothing else is: a pipe would hold up the open, and a device never end, or do something when it is opened."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from importlib.machinery import ModuleSpec
from typing import Any

_KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}


class NotRegularError(OSError):
    """Something else than a file lies there; `strerror` says what."""


def opener(path: str, flags: int, mode: int = 0o666) -> int:
    """Open a regular file and never wait for it; fit for the `opener` of `open`.

    Raises:
        NotRegularError: it is a pipe, a device or a socket.
        OSError: it is a folder, or cannot be opened.
    """
    with suppress(FileNotFoundError):
        _check(os.stat(path), path)  # a device is not even opened
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY, mode)
    try:
        _check(os.fstat(descriptor), path)  # what counts: it may have become another one since
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def no_link(path: str, flags: int) -> int:
    """As `opener`, and a symbolic link is refused."""
    return opener(path, flags | os.O_NOFOLLOW)


def private(path: str, flags: int) -> int:
    """As `opener`, and nobody else may read it: mode 600, whatever the umask, also where it is there already and ours alone."""
    descriptor = opener(path, flags, 0o600)
    facts = os.fstat(descriptor)
    if stat.S_IMODE(facts.st_mode) != 0o600 and facts.st_uid == os.geteuid() and facts.st_nlink == 1:
        with suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, 0o600)
    return descriptor


def what_else(path: str | os.PathLike[str]) -> str:
    """What lies there where that is no regular file, in words; "" for a regular file, or nothing."""
    with suppress(OSError):
        try:
            _check(os.stat(path), os.fspath(path))
        except (NotRegularError, IsADirectoryError) as problem:
            return str(problem.strerror)
    return ""


def _check(facts: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(facts.st_mode):
        raise NotRegularError(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(facts.st_mode), 'something else')}, not a regular file", path)


def text_beside(spec: ModuleSpec | None, name: str) -> str:
    """A text of the package that lies beside a module, out of whatever that was loaded from: `pkgutil.get_data`, without what loading pkgutil takes.

    Args:
        spec: the module's `__spec__`.
        name: of the file.
    """
    assert spec is not None
    assert spec.origin is not None
    loader: Any = spec.loader  # those for folders and for archives have it
    data: bytes = loader.get_data(os.path.join(os.path.dirname(spec.origin), name))
    return data.decode()
