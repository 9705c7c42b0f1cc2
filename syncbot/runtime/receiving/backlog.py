"""What holds the poller back, and what it may confirm."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncbot.storage.promises.queues import Inbox


_log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 1.0
_LOOK_AGAIN_AFTER = 50
_CONFIRM_WITHIN_SECONDS = 3.0
_WINDOW = 100
"""How many updates Telegram gives at most from the first unconfirmed one on."""
_REMEMBERED = 1000


class DurableBacklog:
    """For a state file: what is stored may be confirmed; too many waiting updates slow the poller, and nothing is dropped.

    Args:
        inbox: where updates wait.
        stop: ends every wait.
        most_waiting: above this many, no more are fetched.
        has_idle: whether a worker has nothing to do: then those that wait do so behind a handler that hangs, and must not hold up the others.
    """

    def __init__(self, inbox: Inbox, stop: threading.Event, most_waiting: int, has_idle: Callable[[], bool] = lambda: False) -> None:
        self._inbox = inbox
        self._stop = stop
        self._most_waiting = most_waiting
        self._has_idle = has_idle
        self._finished = 0
        self._waiting_at_most = most_waiting + 1  # so that the first poll counts
        self._progress = threading.Event()

    def wait_for_room(self) -> None:
        """Return when more updates may be fetched, or at a stop."""
        # Counting looks through the whole inbox, and is spared while what was stored since the last time cannot be too much.
        while self._waiting_at_most > self._most_waiting:
            self._progress.clear()  # before looking: what is told from here on ends the wait
            if self._stop.is_set():
                break
            self._waiting_at_most = self._inbox.counts().waiting
            if self._waiting_at_most <= self._most_waiting or self._has_idle():
                break
            self._progress.wait(_LOOK_AGAIN_SECONDS)

    def stored(self, update_ids: Sequence[int]) -> None:
        """It stands in the file, and waits there."""
        self._waiting_at_most += len(update_ids)

    def finished(self, update_id: int) -> None:
        """An update was handled; now and then it is worth while to look whether there is room."""
        self._finished += 1
        if self._finished % _LOOK_AGAIN_AFTER == 0:
            self._progress.set()

    def wake(self) -> None:
        """Look at the stop event again."""
        self._progress.set()

    def offset(self, following: int | None) -> int | None:
        """All that was stored may be confirmed."""
        return following


class MemoryBacklog:
    """For a bot without a state file: an update is confirmed after it was handled.

    The next poll waits a little for the batch to be handled. A handler that hangs does not stop the others: the poll then begins with its
    update, which Telegram repeats together with new ones, and the inbox knows repeated ones. Telegram shows a hundred at most, though: when
    a hung handler's update and those handled since fill that, it is confirmed all the same, since nothing new would ever come.

    Args:
        stop: ends every wait.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._changed = threading.Condition()
        self._open: dict[int, bool] = {}  # id → handled, in the order of arrival, from the first unhandled one on
        self._recent: dict[int, None] = {}

    def wait_for_room(self) -> None:
        """Return when the batch was handled, or after some seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop.is_set() or not self._open, _CONFIRM_WITHIN_SECONDS)

    def stored(self, update_ids: Sequence[int]) -> None:
        """A batch is to be handled before it is confirmed."""
        with self._changed:
            for update_id in update_ids:
                if update_id not in self._recent:
                    self._open.setdefault(update_id, False)

    def finished(self, update_id: int) -> None:
        """An update was handled, perhaps before `stored` was told of it: a worker may find it as soon as it stands in the inbox."""
        with self._changed:
            self._open[update_id] = True
            self._forget_handled()
            self._changed.notify_all()

    def offset(self, following: int | None) -> int | None:
        """The first update that is not handled yet, else what follows the last one."""
        with self._changed:
            while len(self._open) >= _WINDOW and sum(self._open.values()) * 2 > len(self._open):
                first = next(iter(self._open))
                _log.warning("update %d is confirmed although its handler has not returned: it would keep Telegram from giving new ones", first)
                self._open[first] = True
                self._forget_handled()
            return next(iter(self._open), following)

    def wake(self) -> None:
        """Look at the stop event again."""
        with self._changed:
            self._changed.notify_all()

    def _forget_handled(self) -> None:
        while self._open and self._open[first := next(iter(self._open))]:
            del self._open[first]
            self._recent[first] = None
            if len(self._recent) > _REMEMBERED:
                del self._recent[next(iter(self._recent))]
