"""One runtime per bot: a lock file that the system frees when its holder dies.

The lock is the system's own (flock), for which the standard library has a function. filelock would take it too, but from Python 3.12 on it makes
`os.fork` fail in every thread but one for the whole process while that one forks, which handlers that use multiprocessing do at any time.
"""

from __future__ import annotations

import fcntl
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.process import forks
from syncbot.regular import private
from syncbot.storage.address import DatabaseUrl

_PROBE_SECONDS = 0.5
_ATTEMPTS = 10
"""How often the file may be deleted by its last holder while we take it."""


class BotLock:
    """The right to handle a bot's updates, held by one process at a time. A forked child does not hold it, and frees nothing.

    Args:
        path: the lock file, made with mode 600: whoever may read it could hold the lock. It stays when the lock is freed, unless its holder deletes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: io.FileIO | None = None
        self._guard = threading.Lock()

    def acquire(self) -> bool:
        """Take the lock if nobody holds it; never waits.

        Raises:
            StorageError: the lock file cannot be made, or not be locked.
        """
        forks().add(self)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._guard:
                return self._file is None and any(self._take() for _ in range(_ATTEMPTS))
        except BlockingIOError:
            return False
        except OSError as error:
            problem = error.strerror or type(error).__name__
        raise StorageError(f"the lock file {self.path} cannot be made ({problem}); choose a folder that can be written, with Runtime(state=…) or SYNCBOT_STATE")

    def _take(self) -> bool:
        """False when the file was deleted meanwhile, so that the lock on it is worth nothing."""
        file = io.FileIO(self.path, "r+", opener=lambda path, flags: private(path, flags | os.O_CREAT | os.O_NOFOLLOW))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
                self._file = file
        except FileNotFoundError:
            pass
        finally:
            if self._file is None:
                file.close()
        return self._file is not None

    def wait(self, stop: threading.Event, on_probe: Callable[[], object] = lambda: None) -> bool:
        """Stand by until the lock is free; False when `stop` is set first. `on_probe` is called about twice a second."""
        while not self.acquire():
            on_probe()
            if stop.wait(_PROBE_SECONDS):
                return False
        return True

    def release(self) -> None:
        """Free the lock; harmless when it is not held."""
        with self._guard:
            file, self._file = self._file, None
            if file is not None:
                fcntl.flock(file, fcntl.LOCK_UN)  # a child that was forked past Python may have the file open for long
                file.close()

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def before_fork(self) -> None:
        """Let a step that is under way come to its end."""
        self._guard.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._guard.release()

    def after_fork_in_child(self) -> None:
        """The lock is the parent's; the child's copy of its file would keep it when the parent dies."""
        self._guard = threading.Lock()
        file, self._file = self._file, None
        if file is not None:
            file.close()


def lock_path(state: str | os.PathLike[str] | DatabaseUrl | None, bot_id: int, folder: Path) -> Path:
    """Where the lock of a bot lies: beside its state file, or in a folder by the bot's id."""
    return folder / f"{bot_id}.lock" if state is None or isinstance(state, DatabaseUrl) else file_lock_path(state)


def file_lock_path(state: str | os.PathLike[str]) -> Path:
    """The lock of a state file: one, whether the file is named by itself or by a link."""
    return Path(f"{os.path.realpath(state)}.lock")
