"""Whether something waits in a state that nobody in this process has opened: calls of the outbox, updates."""

from __future__ import annotations

import os
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.storage import OutboxState, StoreOptions, open_store
from syncbot.storage.address import StatePlace

_UNDONE = (OutboxState.QUEUED, OutboxState.CLAIMED, OutboxState.SENDING)


class WaitingWork:
    """Looks into a state from time to time; a file that nobody has written to since the last look is not opened.

    Args:
        place: where it stands; a file need not be there.
    """

    def __init__(self, place: StatePlace) -> None:
        self._path = place
        self._seen: object = None

    def is_there(self) -> bool:
        """Whether something waits; also where the file cannot be read, since whoever starts then says why, and always with a database, which is not to be
        asked again and again."""
        if not isinstance(self._path, Path):
            return True
        file = os.path.realpath(self._path)  # beside which SQLite puts the log
        stamp = [_stamp(f"{file}{end}") for end in ("", "-wal")]
        if stamp == self._seen or not stamp[0]:
            return False
        self._seen = stamp
        try:
            with open_store(self._path, None, options=StoreOptions(check=False)) as store:
                outbox = store.outbox.counts()
                return store.inbox.counts().waiting > 0 or any(outbox[state] for state in _UNDONE)
        except StorageError:
            return True


def _stamp(path: str) -> tuple[int, int] | None:
    """When it was changed last, and its size; None for a file that is empty or not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found.st_size else None
