"""Between the inbox and the workers: one thread that settles what they have ended, and claims what they do next.

So no worker waits for the store with a lock held, and what ends while a transaction runs is settled by the next one, together.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from syncbot.errors import StorageError
from syncbot.runtime.work.storage_retry import RETRY_SECONDS, StorageRetry
from syncbot.runtime.work.tasks import Busy
from syncbot.runtime.work.update_run import unwritable
from syncbot.storage.promises.data import NO_CHANGES, DataConflict
from syncbot.storage.promises.inbox import Claimed, End, Settled

if TYPE_CHECKING:
    from syncbot.storage.promises.queues import Inbox

_log = logging.getLogger(__name__)

_MOST_AHEAD = 64
"""So many updates are claimed at most before there is a worker for them."""
_GROUP_SECONDS = 0.002
"""How long an end waits for others, to be settled in one transaction, while every worker has work."""
_CLOSE_SECONDS = 5.0


class Feeder:
    """Feeds workers from the inbox.

    Args:
        inbox: where updates come from, and where their ends are recorded.
        lock: what the workers share; conditions on it tell them of work and of progress.
        stop: set when the runtime stops: nothing is handed out any more, and what has ended is still settled.
        retry: what to do when the state file cannot be used.
        prepare: what takes long once, and is done before the first update is claimed: a process that ends meanwhile leaves none that may have ended it.
        on_settled: told of each end that is recorded.
        on_fatal: told of the error that has ended the thread: the state file cannot be used any more.
        per_key: how many updates of one chat are claimed at once, to be handled one after the other.
    """

    def __init__(
        self,
        inbox: Inbox,
        lock: threading.Lock,
        stop: threading.Event,
        retry: StorageRetry,
        *,
        prepare: Callable[[], object],
        on_settled: Callable[[End], None],
        on_fatal: Callable[[BaseException], None],
        per_key: int = 1,
    ) -> None:
        self.retry = retry
        self.progress = threading.Condition(lock)
        """Told of everything that somebody may wait for: an end that is settled, a turn that is given away, a thread that ends."""
        self.drained = False
        """Whether nothing more of what is stored can be handled now."""
        self._inbox = inbox
        self._lock = lock
        self._stop = stop
        self._prepare = prepare
        self._prepared = False
        self._on_settled = on_settled
        self._on_fatal = on_fatal
        self._work_ready = threading.Condition(lock)
        self._needed = threading.Condition(lock)
        self._ends: list[End] = []
        self._one_by_one = 0
        """So many ends are settled one after the other: one of them may be what could not be written."""
        self._refused: dict[int, tuple[DataConflict, ...]] = {}
        """By tickets: what could not be settled, for the worker that waits for that."""
        self._added = 0
        self._awaited = 0
        self.settled = 0
        """How many ends are recorded."""
        self._per_key = per_key
        self._ready: deque[Claimed] = deque()
        self._behind: dict[int, list[Claimed]] = {}
        """By the row of what is ready, or in hand: what of its chat comes next."""
        self.idle = 0
        """How many workers have nothing to do."""
        self._news = 0
        self._look_at: float | None = None
        """`time.monotonic()` at which an album is complete that is still collected."""
        self._closing = False
        self._has_ended = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        thread = threading.Thread(target=self._run, name="syncbot-feeder", daemon=True)
        thread.start()
        self._thread = thread

    @property
    def threads(self) -> set[threading.Thread]:
        """The thread, once it has been started."""
        return set() if self._thread is None else {self._thread}

    # ── for others: the lock is held ─────────────────────────────────────────────────────────────────────────────────

    def notify(self) -> None:
        """The inbox may have updates to hand out, or the stop event was set."""
        self.drained = False
        self._news += 1
        self._needed.notify()
        if self._stop.is_set():
            self.wake_workers()
        self.progress.notify_all()

    def wake_workers(self) -> None:
        """Let those that have nothing to do look whether they are to end."""
        self._work_ready.notify_all()

    def take(self, is_over: Callable[[], bool]) -> Claimed | None:
        """What is to be done next, as soon as there is something; None when the calling thread is to end."""
        while not is_over() and not self._has_ended:
            if self._ready:
                task = self._ready.popleft()
                if self._ready:
                    self._work_ready.notify()
                return task
            self.idle += 1
            if not self.drained:
                self._needed.notify()
            try:
                self._work_ready.wait()
            finally:
                self.idle -= 1
        return None

    def ended(self, busy: Busy, end: End) -> tuple[DataConflict, ...]:
        """An update has been handled. What it has changed is in the store when this returns, for whoever is handled next.

        Returns:
            Where others have changed what it changed; then nothing is written, and it has not ended.
        """
        if busy.given_up:
            return ()
        self._ends.append(end)
        self._added += 1
        mine = self._added
        if end.changes != NO_CHANGES:
            self._awaited = mine
            self._needed.notify()
            # At a stop nobody waits for a disk to have room again.
            self.progress.wait_for(lambda: self.settled >= mine or self._has_ended or (self._stop.is_set() and self.retry.trouble))
        elif not self._ready or len(self._ends) == 1:
            self._needed.notify()
        refused = self._refused.pop(end.claimed.ticket, ())
        if not refused:
            self.go_on_behind(end.claimed.row)
        return refused

    def go_on_behind(self, row: int) -> None:
        """This one has ended, or waits for an answer: what was claimed to be handled behind it may be."""
        if rest := self.leave_behind(row):
            self._ready.appendleft(rest[0])
            if rest[1:]:
                self._behind[rest[0].row] = rest[1:]
            self._work_ready.notify()

    def leave_behind(self, row: int) -> list[Claimed]:
        """What was claimed to be handled behind this one, and is not any more."""
        return self._behind.pop(row, [])

    @property
    def is_starved(self) -> bool:
        """Whether a worker has nothing to do, and will not get anything of what is stored now: nothing is ready for it, and no end is about to free a chat."""
        return self.drained and self.idle > len(self._ready) and not self.is_behind

    def is_through(self, row: int) -> bool:
        """Whether a worker has nothing to do, and nothing up to this row is ready for one."""
        return self.is_starved and all(one.row > row for one in self._ready)

    @property
    def is_behind(self) -> bool:
        """Whether something has ended that is not settled."""
        return self.settled < self._added

    def give_back(self) -> list[Claimed]:
        """What is claimed and was not handed out, for the caller to release."""
        ready, self._ready = list(self._ready), deque()
        behind, self._behind = self._behind, {}
        return [*ready, *(claimed for rest in behind.values() for claimed in rest)]

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Settle what has ended, and end the thread. The lock is not held."""
        with self._lock:
            self._closing = True
            self._needed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            while self._is_needed():
                self._step()
        except BaseException as error:
            self._on_fatal(error)
        finally:
            with self._lock:
                self._has_ended = True
                self.wake_workers()
                self.progress.notify_all()

    def _is_needed(self) -> bool:
        """Wait until there is something to do; False when it is time to end."""
        with self._lock:
            while not self._closing:
                if self._ends:
                    if self._ready and self._awaited <= self.settled:
                        self._needed.wait(_GROUP_SECONDS)
                    return True
                if self._look_at is not None and time.monotonic() >= self._look_at:
                    self._look_at, self.drained = None, False
                if self._wanted():
                    return True
                self._needed.wait(None if self._look_at is None else max(0.0, self._look_at - time.monotonic()))
            return bool(self._ends)

    def _wanted(self) -> int:
        """How many updates to claim: one for every worker that has none, and so many ahead as have just ended twice over (the lock is held).

        What has ended may have freed its chat; without it, the inbox is not asked again for what it did not have.
        """
        if self._stop.is_set() or (self.drained and not self._ends):
            return 0
        ahead = len(self._ready) + sum(map(len, self._behind.values())) // self._per_key
        return max(0, self.idle + min(_MOST_AHEAD, 2 * len(self._ends)) - ahead)

    def _step(self) -> None:
        """Settle what has ended, and claim what is wanted.

        Raises:
            StorageError: the state file cannot be used any more.
        """
        with self._lock:
            ends, wanted, news = (self._ends[:1], 0, self._news) if self._one_by_one else (self._ends[:], self._wanted(), self._news)
        try:
            self._get_ready(wanted)
            settled = self._inbox.settle(ends, claim=wanted, per_key=self._per_key)
        except StorageError as error:
            self.retry.met(error)
            self._pause()
        except Exception as error:  # one of our own must not end the work either
            _log.exception("the feeder goes on after an error")
            if not self._finds_out(ends, error):
                self._pause()
        else:
            self.retry.over()
            refused = {claimed.ticket: conflicts for claimed, conflicts in settled.refused}
            for end in ends:
                if end.claimed.ticket not in refused:
                    self._on_settled(end)
            with self._lock:
                self._refused |= refused
            self._hand_out(settled, len(ends), wanted, news)

    def _finds_out(self, ends: list[End], error: Exception) -> bool:
        """After an error these are settled one by one, with nothing claimed; one that fails then ends without its changes. False where that was tried.

        Memory that is missing is no fault of what was changed: such an end is tried again as it is.
        """
        with self._lock:
            is_news = bool(ends) and not self._one_by_one
            if self._one_by_one and not isinstance(error, MemoryError):
                self._ends[0] = unwritable(ends[0], error)
                is_news = self._ends[0] is not ends[0]
            self._one_by_one = len(self._ends)
            return is_news

    def _get_ready(self, wanted: int) -> None:
        """Prepare, if something is to be claimed for the first time."""
        if wanted and not self._prepared and self._inbox.counts().waiting:
            self._prepare()
            self._prepared = True

    def _hand_out(self, settled: Settled, ended: int, wanted: int, news: int) -> None:
        runs, album_seconds = _runs(settled.claimed), settled.album_seconds
        with self._lock:
            del self._ends[:ended]
            self._one_by_one = max(0, self._one_by_one - ended)
            self.settled += ended
            self.drained = False
            for run in runs:
                self._ready.append(run[0])
                if run[1:]:
                    self._behind[run[0].row] = run[1:]
            if len(runs) < wanted:
                self._look_at = None if album_seconds is None else time.monotonic() + album_seconds
                self.drained = self._news == news
            self._work_ready.notify(len(runs))
            self.progress.notify_all()

    def _pause(self) -> None:
        """Wait a moment; at the stop, what could not be settled is forgotten here, and handled again at the next start."""
        with self._lock:
            if not self._closing:
                self._needed.wait_for(lambda: self._closing, RETRY_SECONDS)
            else:
                self._ends.clear()
                self._one_by_one = 0


def _runs(claimed: list[Claimed]) -> list[list[Claimed]]:
    """What was claimed, by chats: what of one comes together is handled one after the other."""
    runs: list[list[Claimed]] = []
    for one in claimed:
        if runs and one.key and runs[-1][0].key == one.key:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs
