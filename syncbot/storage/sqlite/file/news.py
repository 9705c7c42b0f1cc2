"""Whoever writes to a state file says so to the process that waits for it, through a named pipe beside the file: nobody has to look again and again.

The pipe's name begins with a dot, so that `cp bot.db*` leaves it out. It is there while somebody waits; one that is left by a process that was
killed is no harm, and the next one to wait takes it.
"""

from __future__ import annotations

import errno
import os
import selectors
import stat
import threading
from contextlib import suppress
from pathlib import Path

_LOOK_SECONDS = 0.25
"""How often to look where the file system knows no named pipes."""
_MOST_BYTES = 4096


class News:
    """What one store object tells the others of its file, and hears from them.

    Args:
        path: the state file.
    """

    def __init__(self, path: Path) -> None:
        real = Path(os.path.realpath(path))
        self._path = real.with_name(f".{real.name}-news")
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._begun = False
        self._waits = False
        self._pipe: int | None = None
        self._selector: selectors.BaseSelector | None = None

    def tell(self) -> None:
        """Say that something has been written; never waits, and costs a look at a name where nobody listens."""
        if self._pipe is not None:  # who listens knows what he writes himself
            return
        with suppress(OSError):  # nobody is there, or has not heard yet what was said before
            pipe = self._opened(os.O_WRONLY)
            try:
                if stat.S_ISFIFO(os.fstat(pipe).st_mode):  # it may have become something else since
                    os.write(pipe, b"\n")
            finally:
                os.close(pipe)

    def wait(self) -> bool:
        """Wait until somebody else may have written since the last call, which goes for the first one too; False when this has been closed."""
        with self._lock:
            if not self._begun and not self._closed.is_set():
                self._begun = True
                self._open()
                return True
            self._waits = not self._closed.is_set()
        try:
            if self._pipe is None or self._selector is None:
                self._closed.wait(_LOOK_SECONDS)
            elif self._waits:
                self._selector.select()  # a read that blocks would hold up all else under gevent
                with suppress(BlockingIOError):
                    os.read(self._pipe, _MOST_BYTES)
        finally:
            with self._lock:
                self._waits = False
                if self._closed.is_set():
                    self._let_go()
        return not self._closed.is_set()

    def close(self) -> None:
        """End the waiting; the pipe goes."""
        with self._lock:
            self._closed.set()
            if not self._waits:
                self._let_go()
            elif self._pipe is not None:
                with suppress(BlockingIOError):  # it is full, which ends the waiting as well
                    os.write(self._pipe, b"\n")

    def after_fork_in_child(self) -> None:
        """It is the parent that waits."""
        self._lock = threading.Lock()  # the other thread's hold on it has not come along
        self._closed = threading.Event()
        self._begun = self._waits = False
        self._close_pipe()

    def _open(self) -> None:
        """Make the pipe, where there can be one."""
        with suppress(OSError):
            with suppress(FileExistsError):
                os.mkfifo(self._path, 0o600)
            self._pipe = self._opened(os.O_RDWR)  # also for writing: it does not end with the others
            with suppress(OSError):
                os.fchmod(self._pipe, 0o600)  # the umask may have taken away too much
            self._selector = selectors.DefaultSelector()
            self._selector.register(self._pipe, selectors.EVENT_READ)

    def _opened(self, flags: int) -> int:
        if not stat.S_ISFIFO(os.lstat(self._path).st_mode):
            raise OSError(errno.EINVAL, "it is no named pipe")
        return os.open(self._path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)

    def _let_go(self) -> None:
        """Delete the pipe, if it is ours, and close it; the lock is held."""
        if self._pipe is not None:
            with suppress(OSError):
                if os.path.samestat(os.fstat(self._pipe), os.lstat(self._path)):
                    self._path.unlink()
        self._close_pipe()

    def _close_pipe(self) -> None:
        pipe, self._pipe = self._pipe, None
        selector, self._selector = self._selector, None
        if selector is not None:
            selector.close()
        if pipe is not None:
            os.close(pipe)
