"""One runtime per bot: a lock file that the system frees when its holder dies."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from syncbot.errors import StorageError

_PROBE_SECONDS = 0.5


class BotLock:
    """The right to handle a bot's updates, held by one process at a time.

    Args:
        path: the lock file; it stays when the lock is freed, since deleting it would let two processes hold "the" lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: object | None = None

    def acquire(self) -> bool:
        """Take the lock if nobody holds it; never waits.

        Raises:
            StorageError: the lock file cannot be made.
        """
        from filelock import FileLock, Timeout  # deferred: only a runtime needs it

        lock = FileLock(self.path, timeout=0, thread_local=False)  # taken in one thread, freed in another
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            problem = error.strerror or type(error).__name__
        else:
            self._lock = lock
            return True
        raise StorageError(f"the lock file {self.path} cannot be made ({problem}); choose a folder that can be written, with Runtime(state=…) or SYNCBOT_STATE")

    def wait(self, stop: threading.Event, on_probe: Callable[[], object] = lambda: None) -> bool:
        """Stand by until the lock is free; False when `stop` is set first. `on_probe` is called about twice a second."""
        while not self.acquire():
            on_probe()
            if stop.wait(_PROBE_SECONDS):
                return False
        return True

    def release(self) -> None:
        """Free the lock; harmless when it is not held."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()  # type: ignore[attr-defined]  # a FileLock, whose import is deferred

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock is not None


def lock_path(state: str | os.PathLike[str] | None, bot_id: int, folder: Path) -> Path:
    """Where the lock of a bot lies: beside its state file, or in a folder by the bot's id."""
    return folder / f"{bot_id}.lock" if state is None else Path(f"{os.fspath(state)}.lock")
