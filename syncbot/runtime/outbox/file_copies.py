"""The folder beside the state file that belongs to the outbox: copies of files that wait to be uploaded, and the locks of those who deliver."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from syncbot.client.uploads import FilePart, PathSource
from syncbot.errors import StorageError
from syncbot.process import ForkSafeLock, sync_folder
from syncbot.regular import no_link
from syncbot.storage.bot_lock import BotLock

_LOCK_ENDING = ".lock"
_COPY_ENDING = ".copy"
_OWNER = re.compile(r"[\w-]+", re.ASCII)
_COPY = re.compile(rf"[\w-]+{re.escape(_COPY_ENDING)}", re.ASCII)
_LOCK_ATTEMPTS = 100
_LOCK_PAUSE_SECONDS = 0.01
_STRAY_AFTER_SECONDS = 86_400.0
"""A copy that no call speaks of may still be on its way into the queue when it is younger than this."""


class QueueFolder:
    """Copies of files by a name of ours, mode 600 in a folder of mode 700, and a lock for each deliverer.

    The system frees a lock when its holder dies, so a lock that can be taken tells that a deliverer is dead, at once and for certain, also
    between containers that share the folder and see nothing else of each other.

    Args:
        path: the folder, made when it is needed; None for one in the system's place for temporary files, which `close` removes.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._temporary = path is None
        self._making = ForkSafeLock()

    @classmethod
    def beside(cls, state: str | os.PathLike[str] | None) -> QueueFolder:
        """The folder of a state file, one, whether that is named by itself or by a link; None for a store in memory.

        Beside a link there is one where an earlier release has queued files.
        """
        if state is None:
            return cls(None)
        before = Path(f"{os.fspath(state)}.outbox")
        return cls(before if before.is_dir() else Path(f"{os.path.realpath(state)}.outbox"))

    def file(self, name: str) -> Path:
        """Where a copy lies, by the name that `copy` returned.

        Raises:
            ValueError: it is no such name: one that somebody wrote into the state file must not reach another file.
        """
        if not (isinstance(name, str) and _COPY.fullmatch(name)):
            raise ValueError(f"{str(name)[:80]!r} is none of the outbox's own files; the state file was damaged or changed")
        return (self._path or Path()) / name

    def source(self, name: str) -> PathSource:
        """The bytes of a copy.

        Raises:
            OSError: it is gone, or something else lies there.
            ValueError: as for `file`.
        """
        path = self.file(name).as_posix()
        with open(path, "rb", buffering=0, opener=no_link) as file:
            return PathSource(path, os.fstat(file.fileno()).st_size, no_link)

    def copy(self, parts: Iterable[FilePart]) -> tuple[str, ...]:
        """Copy files, durable; returns the names of the copies, in order.

        Raises:
            StorageError: they cannot be written; nothing stays behind.
            ValueError: one of them cannot be read any more; nothing stays behind.
        """
        names: list[str] = []
        try:
            for part in parts:
                names.append(f"{secrets.token_hex(16)}{_COPY_ENDING}")
                self._write(names[-1], part)
            if names:
                sync_folder(self._made())
        except OSError as problem:
            self.remove(names)
            reason = problem.strerror or type(problem).__name__
            raise StorageError(f"a file to be sent cannot be copied into {self._path}: {reason}; make room, or choose another state file") from None
        except BaseException:
            self.remove(names)
            raise
        return tuple(names)

    def remove(self, names: Iterable[str]) -> None:
        """Delete copies; those that are gone already and names of others are passed over, and what cannot be deleted now is swept later."""
        for name in names:
            with suppress(OSError, ValueError):
                self.file(name).unlink()

    def sweep(self, known: Collection[str], now: float) -> None:
        """Delete copies that no call speaks of: those of a process that died between two steps."""
        for path in self._entries(_COPY_ENDING):
            with suppress(OSError):
                if path.name not in known and now - path.stat().st_mtime > _STRAY_AFTER_SECONDS:
                    path.unlink()

    def lock(self, owner: str) -> BotLock | None:
        """Take the lock of a deliverer (this one) until it is released with `unlock`; None for a store in memory, which nobody else shares.

        Raises:
            StorageError: the lock file cannot be made.
        """
        if self._temporary:
            return None
        try:
            lock = BotLock(self._made() / f"{owner}{_LOCK_ENDING}")
        except OSError as problem:
            raise StorageError(f"the folder {self._path} cannot be made: {problem.strerror}; choose another state file") from None
        for _ in range(_LOCK_ATTEMPTS):
            if lock.acquire():
                return lock
            # Somebody who looks for dead deliverers holds the new file for a moment, and takes it away.
            threading.Event().wait(_LOCK_PAUSE_SECONDS)
        raise StorageError(f"the lock {lock.path} cannot be taken", retryable=True)

    def unlock(self, lock: BotLock | None) -> None:
        """Give the lock of a deliverer back; its file goes first, so that nobody takes it for a dead one's.

        A lock file is only ever deleted by the one who holds it: the lock of a deliverer that has it cannot be swept away.
        """
        if lock is not None:
            with suppress(OSError):
                lock.path.unlink()
            lock.release()

    def is_dead(self, owner: str) -> bool:
        """Whether a deliverer has certainly died: its lock is there, and nobody holds it."""
        lock = self._left_behind(owner)
        if lock is None:
            return False
        lock.release()
        return True

    def forget_dead(self, owners: Sequence[str]) -> None:
        """Delete the locks of dead deliverers, except these, which still have something."""
        for path in self._entries(_LOCK_ENDING):
            owner = path.name.removesuffix(_LOCK_ENDING)
            if owner not in owners:
                self.unlock(self._left_behind(owner))

    def _left_behind(self, owner: str) -> BotLock | None:
        """The lock of a deliverer that died, taken; None when there is none, or its owner lives."""
        if self._path is None or self._temporary or not _OWNER.fullmatch(owner) or not (path := self._path / f"{owner}{_LOCK_ENDING}").exists():
            return None
        lock = BotLock(path)
        return lock if lock.acquire() else None

    def close(self) -> None:
        """Remove a temporary folder with all that is in it."""
        if self._temporary and self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None

    def _made(self) -> Path:
        with self._making.here:  # two threads that queue the first files at once put them into one folder
            self._path = self._path or Path(tempfile.mkdtemp(prefix="syncbot-outbox-"))
        if not self._path.is_dir():
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.chmod(0o700)  # the umask may have taken away too much
        return self._path

    def _write(self, name: str, part: FilePart) -> None:
        descriptor = os.open(self._made() / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            for chunk in part.source.chunks():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def _entries(self, ending: str) -> list[Path]:
        if self._path is None:
            return []
        try:
            return [path for path in self._path.iterdir() if path.name.endswith(ending)]
        except OSError:
            return []
