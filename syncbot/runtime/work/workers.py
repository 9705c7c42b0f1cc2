"""The threads that handle updates: fed from the inbox, one chat's updates one after the other, different chats in parallel.

A worker takes what the feeder has claimed, handles it, and gives its end to the feeder. A worker survives whatever its handler raises. A job
that is due stands in the inbox too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from syncbot.errors import Stopped, StorageError
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.work.feeder import Feeder
from syncbot.runtime.work.questions import Questions
from syncbot.runtime.work.storage_retry import RETRY_SECONDS, StorageRetry
from syncbot.runtime.work.tasks import Busy
from syncbot.runtime.work.turn import Turn
from syncbot.runtime.work.update_run import MOST_TRIES, Done, Handle, after_conflicts, put_back, run_update
from syncbot.storage.albums import ids_of
from syncbot.storage.claims import ClaimGone, claim_gone
from syncbot.storage.promises.data import DataConflict
from syncbot.storage.promises.inbox import Claimed, End

if TYPE_CHECKING:
    from syncbot.storage.promises.queues import Inbox

_log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 0.1


class Workers:
    """A fixed number of threads that handle what the inbox holds.

    Args:
        inbox: where updates come from.
        handle: what is done with each.
        number: how many handlers run at once.
        stop: set when the runtime stops: no new update is begun.
        may_wait: handlers may wait for answers; without it they get no turn.
        may_hold: they may hold a thread meanwhile; without it they are put aside.
        questions: those that are open; None where they are kept nowhere.
        retry: what to do when the state file cannot be used; the same as that of the durability, so that it is said once.
        durability: what handlers' steps are written with; None where nothing is.
        prepare: what takes long once, and is done before the first update is claimed.
        on_finished: told the id of each update that is handled or buried.
        on_job_ended: told what stood in the inbox of each run of a job that has ended.
        on_queued: told that something went into the outbox.
        per_key: how many updates of one chat are claimed at once.
        on_fatal: told of what ends one of the threads: an error of the state file that does not pass by itself.
    """

    def __init__(
        self,
        inbox: Inbox,
        handle: Handle,
        number: int,
        stop: threading.Event,
        *,
        may_wait: bool = True,
        may_hold: bool = True,
        questions: Questions | None = None,
        retry: StorageRetry | None = None,
        durability: Durability | None = None,
        prepare: Callable[[], object] = lambda: None,
        on_finished: Callable[[int], None] = lambda _: None,
        on_job_ended: Callable[[bytes], None] = lambda _: None,
        on_fatal: Callable[[BaseException], None] = lambda _: None,
        on_queued: Callable[[], object] = lambda: None,
        per_key: int = 1,
    ) -> None:
        self.questions = questions or Questions()
        self.done = Done()
        self._inbox = inbox
        self._handle = handle
        self._number = number
        self._stop = stop
        self._may_wait = may_wait
        self._may_hold = may_hold
        self._on_queued = on_queued
        self.retry = retry or StorageRetry(stop)
        self.durability = durability or Durability(None, "again", stop.is_set, self.retry)
        self._on_finished = on_finished
        self._on_job_ended = on_job_ended
        self._on_fatal = on_fatal
        self._lock = threading.Lock()
        self._feeder = Feeder(inbox, self._lock, stop, self.retry, prepare=prepare, on_settled=self.settled, on_fatal=on_fatal, per_key=per_key)
        self._progress = self._feeder.progress
        self._threads: set[threading.Thread] = set()
        self._working = 0
        self._busy: set[Busy] = set()
        self._names = 0

    def start(self) -> None:
        """Start the threads."""
        self._feeder.start()
        with self._lock:
            while self._working < self._number:
                self._start_one()

    def notify(self, _number: int = 0) -> None:
        """Say that the inbox may have new updates, or that the stop event was set."""
        with self._lock:
            self._feeder.notify()

    def busy(self) -> list[Busy]:
        """What is being handled now."""
        with self._lock:
            return list(self._busy)

    @property
    def threads(self) -> set[threading.Thread]:
        """The workers' threads, those of handlers that wait among them, and the one that feeds them."""
        with self._lock:
            return self._threads | self._feeder.threads

    @property
    def has_idle(self) -> bool:
        """Whether a worker has found nothing to do: nothing more of what is stored can be handled now."""
        with self._lock:
            return self._feeder.is_starved

    def is_through(self, row: int) -> bool:
        """Whether all that was stored up to this row has been handled, but for what is behind a handler that waits, or was reported as hanging."""
        with self._lock:
            is_in_hand = any(busy.task.row <= row and not (busy.waiting or busy.warned) for busy in self._busy)
            return not is_in_hand and self._feeder.is_through(row)

    def wait_until_idle(self, deadline: float) -> bool:
        """Wait until the inbox is empty and no handler runs; False at `deadline` (`time.monotonic()`) or at a stop."""
        while not self._stop.is_set():
            seen = self._feeder.settled
            is_at_work = bool(self._busy) or self._feeder.is_behind
            if not is_at_work and self._is_empty():
                return True
            left_seconds = deadline - time.monotonic()
            if left_seconds <= 0:
                return False
            with self._lock:
                if self._feeder.settled == seen and not self._stop.is_set():  # else the progress was made meanwhile
                    self._progress.wait(min(left_seconds, RETRY_SECONDS))
        return False

    def _is_empty(self) -> bool:
        try:
            counts = self._inbox.counts()
        except StorageError as error:
            self.retry.met(error)
            return False
        self.retry.over()
        return counts.waiting + counts.running == 0

    # ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def join(self, grace: float, forced: threading.Event) -> bool:
        """Wait for the running handlers after the stop event was set; False when some did not return within `grace` seconds, or before `forced`.

        Those are put back into the inbox, and whatever they still do is not recorded; their threads are daemons.
        """
        deadline = time.monotonic() + grace
        self.questions.stop()
        self.notify()
        with self._lock:
            while self._threads and not forced.is_set():
                left_seconds = deadline - time.monotonic()
                if left_seconds <= 0:
                    break
                self._progress.wait(min(left_seconds, _LOOK_AGAIN_SECONDS))
            # Who has nothing in hand ends at once, and first puts back what it was just given.
            self._progress.wait_for(lambda: len(self._threads) <= len(self._busy), RETRY_SECONDS)
            left = list(self._busy)
            for busy in left:
                busy.given_up = True
            self._progress.notify_all()
        self._feeder.close()
        with self._lock:  # only now: the feeder may have been about to claim
            claimed = self._feeder.give_back() + [busy.task for busy in left]
        if left:
            _log.warning("%d handlers did not end in time (%s); updates are handled again at the next start", len(left), ", ".join(busy.name for busy in left))
        self._inbox.release(*claimed)
        return not left

    # ── waiting for answers ──────────────────────────────────────────────────────────────────────────────────────────

    def turn_of(self, claimed: Claimed, busy: Busy | None = None) -> Turn | None:
        """The turn of an update, which waits on the thread of `busy`, or is put aside at its questions; None where nothing can be waited for."""
        if not self._may_wait:
            return None
        seat = WorkerSeat(self, busy, claimed) if busy is not None and self._may_hold else None
        return Turn(claimed, self._inbox, self.questions, self.retry, seat, self._on_queued)

    def step_aside(self, busy: Busy) -> None:
        """A handler waits for an answer: another thread takes its place among the workers."""
        with self._lock:
            busy.waiting = True
            self._feeder.go_on_behind(busy.task.row)
            self._working -= 1
            if self._working < self._number and not self._stop.is_set():
                try:
                    self._start_one()
                except RuntimeError as error:  # the system gives no more threads; the other workers go on
                    _log.warning("no thread takes the place of the handler of %s, which waits for an answer: %s", busy.name, error)
            self._feeder.notify()

    def step_back(self, busy: Busy, claimed: Claimed, *, is_answered: bool) -> None:
        """The waiting is over: wait for the chat's turn, and count as a worker again (one that is too many ends when it may).

        With an answer, which would be lost where nothing is recorded, it waits through a stop too: the update that brought it is just about to end.

        Raises:
            Stopped: the runtime is stopping, and another handler has the turn.
            StorageError: the state file cannot be used any more.
        """
        try:
            while not self._takes_turn(claimed):
                with self._lock:
                    if self._stop.is_set() and (busy.given_up or not is_answered):
                        raise Stopped("the runtime is stopping")
                    self._progress.wait(_LOOK_AGAIN_SECONDS)
        finally:
            with self._lock:
                busy.waiting = False
                busy.since = time.monotonic()
                self._working += 1
                self._feeder.wake_workers()  # one that is idle may be one too many now

    def _takes_turn(self, claimed: Claimed) -> bool:
        try:
            is_taken = self._inbox.take_turn(claimed)
        except StorageError as error:
            self.retry.met(error)
            return False
        self.retry.over()
        return is_taken

    # ── working ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start_one(self) -> None:
        self._names += 1
        thread = threading.Thread(target=self._run, name=f"syncbot-worker-{self._names}", daemon=True)
        thread.start()  # first: where the system gives no more threads, nothing is to be taken back
        self._threads.add(thread)
        self._working += 1

    def _run(self) -> None:
        """A worker: one thing after the other, until there are too many of it or the stop comes."""
        try:
            while (busy := self._next()) is not None:
                turn, end = self.turn_of(busy.task, busy), None
                for tries in range(MOST_TRIES):  # again where others have changed what it read
                    try:
                        if end is None:
                            self._must_still_be_ours(busy.task)
                            end = run_update(self._handle, busy.task, turn, self._stop, self.durability, is_again=tries > 0)
                    except ClaimGone:
                        end = None  # nothing more is done for it here
                    except StorageError:
                        if not busy.given_up:
                            raise
                    conflicts, rest = self._ended(busy, end)
                    if not conflicts or end is None:
                        break
                    end = after_conflicts(end, conflicts, last=tries >= MOST_TRIES - 2)
                    if end is None and self._stop.is_set():
                        _, rest = self._ended(busy, None)
                        break
                if end is None and not busy.given_up:
                    self.retry.until_stop(partial(put_back, self._inbox, busy.task, turn, rest))  # it was put aside
                    self.notify()  # it may have been answered already
        except BaseException as error:  # whatever ends a worker
            self._on_fatal(error)
        finally:
            with self._lock:
                self._leave()

    def _must_still_be_ours(self, task: Claimed) -> None:
        """Others may have taken over since it was claimed: a process that was frozen has much in hand that is another's.

        Raises:
            ClaimGone: they may have.
        """
        members = self.durability.members
        if members is not None and not members.has(task.row, task.ticket):
            raise claim_gone("the database")

    def _is_over(self) -> bool:
        """Whether the calling thread is to end."""
        return self._stop.is_set() or self._working > self._number

    def _next(self) -> Busy | None:
        """What is to be done next; None when this thread is to end."""
        with self._lock:
            task = self._feeder.take(self._is_over)
            if task is None:
                self._leave()  # with the lock that was held when it was decided: else a handler that steps aside counts on this thread
                return None
            busy = Busy(task)
            self._busy.add(busy)
            return busy

    def _ended(self, busy: Busy, end: End | None) -> tuple[tuple[DataConflict, ...], list[Claimed]]:
        """Give the end to be recorded.

        Returns:
            What kept it from that, so that it is still busy; and where it was put aside, what is to be put back with it.
        """
        with self._lock:
            self._busy.discard(busy)
            conflicts = self._feeder.ended(busy, end) if end is not None else ()
            if conflicts:
                self._busy.add(busy)
            self._progress.notify_all()
            rest = self._feeder.leave_behind(busy.task.row) if end is None and not busy.given_up else []
        return conflicts, rest

    def settled(self, end: End) -> None:
        """An end is recorded: what it has answered goes on."""
        with self._lock:
            self.done.count(end)
        self.questions.answered(end.changes.answers)
        self.questions.give_back(end.claimed.row)  # where what it changed could not be stored
        if end.changes.calls:
            self._on_queued()
        if end.claimed.update_id < 0:
            self._on_job_ended(end.claimed.body)
            return
        for update_id in ids_of(end.claimed.update_id, end.claimed.body):
            self._on_finished(update_id)

    def _leave(self) -> None:
        """The calling thread is no worker any more (the lock is held)."""
        thread = threading.current_thread()
        if thread in self._threads:
            self._threads.discard(thread)
            self._working -= 1
            self._feeder.wake_workers()  # it may have been woken for work that is still there
            self._progress.notify_all()


class WorkerSeat(NamedTuple):
    """`syncbot.runtime.work.turn.Seat` among the workers."""

    workers: Workers
    busy: Busy
    claimed: Claimed

    def step_aside(self) -> None:
        """Another thread takes the place."""
        self.workers.step_aside(self.busy)

    def step_back(self, *, is_answered: bool) -> None:
        """Wait for the chat's turn."""
        self.workers.step_back(self.busy, self.claimed, is_answered=is_answered)
