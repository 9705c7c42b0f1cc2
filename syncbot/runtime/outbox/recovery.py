"""What dead deliverers leave behind: their calls, the locks they held, and files that no call speaks of."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from syncbot.runtime.outbox.attempt import Uncertain
from syncbot.runtime.outbox.queue_files import QueueFiles
from syncbot.storage import OutboxQueue, OutboxState
from syncbot.storage.promises.outbox import is_over

_log = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
"""`settle_seconds` of a deliverer that is not told another time."""
_RECOVER_EVERY_SECONDS = 1.0
_LOOK_FOR_DEAD_SECONDS = 5.0
_TIDY_EVERY_SECONDS = 3600.0
_KEEP_HELD_SECONDS = 90 * 86_400.0


class OutboxRecovery:
    """Looks after what other deliverers leave when they die.

    Args:
        queue: the queue that they share.
        folder: where their locks and the copies of files are.
        owner: the deliverer that does it.
        uncertain: what follows when nobody knows whether a call was carried out.
        now: seconds since 1970.
        settle_seconds: how long a request whose sender is gone may still be on its way; for so long the later calls of its chat wait, or they could
            arrive before it.
    """

    def __init__(self, queue: OutboxQueue, folder: QueueFiles, owner: str, uncertain: Uncertain, now: Callable[[], float], settle_seconds: float) -> None:
        self._queue = queue
        self._folder = folder
        self._owner = owner
        self._uncertain = uncertain
        self._now = now
        self._settle_seconds = settle_seconds
        self._lock = threading.Lock()
        self._dead_since: dict[str, float] = {}
        self._recovered_at = time.monotonic()
        self._tidied_at: float | None = None

    @property
    def look_again_seconds(self) -> float:
        """How soon to look again, where others have something."""
        return self._settle_seconds / 4 if self._dead_since else _LOOK_FOR_DEAD_SECONDS

    def is_due(self) -> bool:
        """Whether the last look is long enough ago."""
        return time.monotonic() - self._recovered_at > _RECOVER_EVERY_SECONDS

    def recover(self) -> bool:
        """Take over what dead deliverers had, when their last requests must have arrived; True when something may have become due.

        Raises:
            StorageError: the queue cannot be used.
        """
        with self._lock:  # all senders of a deliverer do this, and often at the same time
            return self._recover()

    def _recover(self) -> bool:
        self._recovered_at = time.monotonic()
        owners = [owner for owner in self._queue.outlook().owners if owner != self._owner]
        found = False
        for owner in owners:
            if self._folder.is_dead(owner) and time.monotonic() - self._dead_since.setdefault(owner, time.monotonic()) >= self._settle_seconds:
                count = self._queue.abandon(owner, again=self._uncertain == "again")
                _log.warning("a deliverer died with %d calls, which are delivered now, or kept as uncertain if they may have been sent", count)
                found = found or count > 0
        if self._dead_since:
            left = self._queue.outlook().owners
            self._dead_since = {owner: since for owner, since in self._dead_since.items() if owner in left}
            self._folder.forget_dead(left)
        return (self._uncertain != "hold" and self._settle()) or found

    def tidy(self) -> None:
        """Forget what nobody has looked at for long, and sweep up after processes that died; does nothing if that was done lately.

        Raises:
            StorageError: the queue cannot be used.
        """
        if self._tidied_at is not None and time.monotonic() - self._tidied_at < _TIDY_EVERY_SECONDS:
            return
        self._tidied_at = time.monotonic()
        for item in self._queue.purge(_KEEP_HELD_SECONDS):
            self._folder.remove(item.call.files)
        known: set[str] = set()
        after = 0
        while items := self._queue.entries(limit=500, after=after):
            known.update(name for item in items for name in item.call.files)
            after = items[-1].id
        self._folder.sweep(known, self._now())
        self._folder.forget_dead(self._queue.outlook().owners)

    def _settle(self) -> bool:
        """Do with the uncertain calls of dead deliverers as the setting says; one whose time has run out stays."""
        found = False
        for item in self._queue.entries(OutboxState.UNCERTAIN):
            if item.owner == self._owner:  # a sender of ours still has it, longer than its lease
                continue
            if self._uncertain == "again" and not is_over(item, self._now()):
                found = self._queue.retry(item.id, expires=item.call.expires) or found
            elif self._uncertain == "drop" and (dropped := self._queue.drop(item.id)) is not None:
                self._folder.remove(dropped.call.files)
        return found
