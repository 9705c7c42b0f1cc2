"""What belongs to a queue beside its calls: copies of the files that wait to be uploaded, and a sign of life of whoever delivers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from syncbot.client.uploads import FilePart, Source
from syncbot.errors import StorageError
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.storage.address import StatePlace

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Store
    from syncbot.storage.promises.queues import OutboxFiles


class QueueFiles(Protocol):
    """Copies of files by a name of ours, and a lock for each deliverer, which ends with its process: `QueueFolder` beside a state file."""

    def copy(self, parts: Iterable[FilePart]) -> tuple[str, ...]:
        """Copy files, durable; returns the names of the copies, in order.

        Raises:
            StorageError: they cannot be written; nothing stays behind.
            ValueError: one of them cannot be read any more; nothing stays behind.
        """
        ...

    def source(self, name: str) -> Source:
        """The bytes of a copy.

        Raises:
            OSError: it is gone.
            ValueError: it is no name of ours.
            StorageError: nobody can say now.
        """
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Delete copies; those that are gone already are passed over, and what cannot be deleted now is swept later."""
        ...

    def sweep(self, known: Collection[str], now: float) -> None:
        """Delete copies that no call speaks of: those of a process that died between two steps."""
        ...

    def lock(self, owner: str) -> Any:
        """Take the lock of a deliverer (this one) until it is given to `unlock`."""
        ...

    def unlock(self, lock: Any) -> None:
        """Give the lock of a deliverer back."""
        ...

    def is_dead(self, owner: str) -> bool:
        """Whether a deliverer has certainly died."""
        ...

    def forget_dead(self, owners: Sequence[str]) -> None:
        """Sweep up what dead deliverers leave, except of these, which still have something."""
        ...

    def close(self) -> None:
        """Let go of what lives no longer than the process."""
        ...


class UnreadableCopy(ValueError):
    """The store cannot be read now: the request was cut short, and can be made again."""


@dataclass(frozen=True)
class StoredSource:
    """A copy that lies in the store; each piece of it is fetched when it is sent."""

    files: OutboxFiles
    name: str
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Fetch it, piece by piece."""
        left = self.size
        try:
            for piece in self.files.pieces(self.name):
                left -= len(piece)
                yield piece
        except StorageError as problem:  # what a transport meets while it writes is no affair of the store's
            raise UnreadableCopy(f"the copy of a file cannot be read now: {problem}") from None
        if left:
            raise ValueError(f"the copy of a file is gone: {left} of {self.size} bytes are missing")


class StoredFiles:
    """`QueueFiles` where the store keeps everything itself, for machines that share no folder.

    Args:
        files: of the store.
    """

    def __init__(self, files: OutboxFiles) -> None:
        self._files = files

    def copy(self, parts: Iterable[FilePart]) -> tuple[str, ...]:
        names: list[str] = []
        try:
            for part in parts:
                names.append(self._files.write(part.source.chunks()))
        except BaseException:
            self.remove(names)
            raise
        return tuple(names)

    def source(self, name: str) -> Source:
        size = self._files.size(name)
        if size is None:
            raise FileNotFoundError(2, "it is not in the database any more")
        return StoredSource(self._files, name, size)

    def remove(self, names: Iterable[str]) -> None:
        with suppress(StorageError):
            self._files.remove(tuple(names))

    def sweep(self, known: Collection[str], now: float) -> None:
        self._files.sweep()  # the database knows which calls there are, and what time it is

    def lock(self, owner: str) -> Any:
        return self._files.lock(owner)

    def unlock(self, lock: Any) -> None:
        if lock is not None:
            lock.release()

    def is_dead(self, owner: str) -> bool:
        return self._files.is_dead(owner)

    def forget_dead(self, owners: Sequence[str]) -> None:
        """A lock of the database's leaves nothing behind."""

    def close(self) -> None:
        """Nothing here lives as long as the process."""


def files_of(store: Store, place: StatePlace | None) -> QueueFiles:
    """Where the files of a store's queue are."""
    if store.outbox_files is not None:
        return StoredFiles(store.outbox_files)
    assert place is None or isinstance(place, Path)
    return QueueFolder.beside(place)
