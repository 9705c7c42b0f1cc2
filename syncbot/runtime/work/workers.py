"""The threads that handle updates: fed from the inbox, one chat's updates one after the other, different chats in parallel.

A worker asks the inbox for the next update that may run, handles it, and finishes it; the same transaction hands out the next one. Whatever
a handler does, its worker lives on. Jobs run on the same threads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from syncbot.errors import Stopped, StorageError
from syncbot.logs import guard
from syncbot.runtime.work.questions import Turns
from syncbot.runtime.work.storage_retry import RETRY_SECONDS, Patience
from syncbot.runtime.work.tasks import QUICK_SECONDS, Busy, End, JobRun
from syncbot.runtime.work.update_run import Handle, Turn, run_handler
from syncbot.storage.promises.inbox import Claimed, Counts, Inbox

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
        prepare: what takes long once, and is done before the first update is begun: a process that ends meanwhile leaves none that may have ended it.
        on_finished: told the id of each update that is handled or buried.
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
        prepare: Callable[[], object] = lambda: None,
        on_finished: Callable[[int], None] = lambda _: None,
        on_fatal: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self.turns = Turns()
        self.handled = 0
        self.failed = 0
        self.patience = Patience(stop)
        self._inbox = inbox
        self._handle = handle
        self._number = number
        self._stop = stop
        self._may_wait = may_wait
        self._prepare = prepare
        self._prepared = False
        self._watched = False
        self._on_finished = on_finished
        self._on_fatal = on_fatal
        self._lock = threading.Lock()
        self._work_ready = threading.Condition(self._lock)
        self._progress = threading.Condition(self._lock)
        self._jobs: deque[JobRun] = deque()
        self._threads: set[threading.Thread] = set()
        self._working = 0
        self._drained = False
        self._busy: set[Busy] = set()
        self._names = 0

    def start(self) -> None:
        """Start the threads."""
        with self._lock:
            while self._working < self._number:
                self._start_one()

    def notify(self, number: int | None = None) -> None:
        """Say that the inbox has this many new updates (None: perhaps many), or that the stop event was set."""
        with self._lock:
            self._drained = False
            if number is None:
                self._work_ready.notify_all()
                self._progress.notify_all()
            else:
                self._work_ready.notify()  # the one that comes wakes the next one if it is needed

    def submit(self, job: JobRun) -> None:
        """Run a job as soon as a worker is free; at a stop, those that have not begun are forgotten."""
        with self._lock:
            self._jobs.append(job)
            self._work_ready.notify()

    def busy(self) -> list[Busy]:
        """What is being handled now."""
        with self._lock:
            return list(self._busy)

    @property
    def threads(self) -> set[threading.Thread]:
        """The workers' threads, those of handlers that wait among them."""
        with self._lock:
            return set(self._threads)

    @property
    def has_idle(self) -> bool:
        """Whether a worker has found nothing to do: nothing more of what is stored can be handled now."""
        return self._drained

    def wait_until_idle(self, deadline: float) -> bool:
        """Wait until the inbox is empty and no handler runs; False at `deadline` (`time.monotonic()`) or at a stop."""
        with self._lock:
            while not self._stop.is_set():
                if not self._busy and self._is_empty():
                    return True
                left_seconds = deadline - time.monotonic()
                if left_seconds <= 0:
                    return False
                self._progress.wait(min(left_seconds, RETRY_SECONDS))
        return False

    def _is_empty(self) -> bool:
        counts = self._counts()
        return counts is not None and counts.waiting + counts.running == 0

    def _counts(self) -> Counts | None:
        """None where the state file cannot be read for the moment."""
        found: list[Counts] = []
        return found[0] if self.patience.tried(lambda: found.append(self._inbox.counts()), writes=False) else None

    # ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def join(self, grace: float, forced: threading.Event) -> bool:
        """Wait for the running handlers after the stop event was set; False when some did not return within `grace` seconds, or before `forced`.

        Those are put back into the inbox, and whatever they still do is not recorded; their threads are daemons.
        """
        deadline = time.monotonic() + grace
        self.turns.stop()
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
        if left:
            _log.warning("%d handlers did not end in time (%s); updates are handled again at the next start", len(left), ", ".join(busy.name for busy in left))
            self._inbox.release(*(busy.claimed for busy in left if busy.claimed is not None))
        return not left

    # ── waiting for answers ──────────────────────────────────────────────────────────────────────────────────────────

    def step_aside(self, busy: Busy, claimed: Claimed) -> None:
        """A handler waits for an answer: its chat goes on, and another thread takes its place among the workers.

        Raises:
            Stopped: the runtime is stopping.
        """
        if not self.patience.until_stop(lambda: self._inbox.yield_turn(claimed)):
            raise Stopped("the runtime is stopping")
        with self._lock:
            busy.waiting = True
            self._working -= 1
            if self._working < self._number and not self._stop.is_set():
                try:
                    self._start_one()
                except RuntimeError as error:  # the system gives no more threads; the other workers go on
                    _log.warning("no thread takes the place of the handler of %s, which waits for an answer: %s", busy.name, error)
            self._work_ready.notify_all()
            self._progress.notify_all()

    def step_back(self, busy: Busy, claimed: Claimed, *, is_answered: bool) -> None:
        """The waiting is over: wait for the chat's turn, and count as a worker again (one that is too many ends when it may).

        With an answer, which would be lost, it waits through a stop too: the update that brought it is just about to end.

        Raises:
            Stopped: the runtime is stopping, and another handler has the turn.
        """
        taken = False

        def take() -> None:
            nonlocal taken
            taken = self._inbox.take_turn(claimed)

        with self._lock:
            try:
                while not (self.patience.tried(take, writes=False) and taken):
                    if self._stop.is_set() and (busy.given_up or not is_answered):
                        raise Stopped("the runtime is stopping")
                    self._progress.wait(RETRY_SECONDS if self.patience.trouble else None)
            finally:
                busy.waiting = False
                busy.since = time.monotonic()
                self._working += 1
                self._work_ready.notify()  # one that is idle may be one too many now

    # ── working ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start_one(self) -> None:
        self._names += 1
        thread = threading.Thread(target=self._run, name=f"syncbot-worker-{self._names}", daemon=True)
        thread.start()  # first: where the system gives no more threads, nothing is to be taken back
        self._threads.add(thread)
        self._working += 1

    def _run(self) -> None:
        try:
            while not self._work_on():
                self._stop.wait(RETRY_SECONDS)
        except BaseException as error:  # whatever ends a worker
            self._on_fatal(error)
        finally:
            with self._lock:
                self._leave()

    def _work_on(self) -> bool:
        """Do one thing after the other; True when this thread is to end, False after an error of our own, which must not end it.

        Raises:
            StorageError: the state file cannot be used any more.
        """
        task: Claimed | JobRun | None = None
        try:
            while (task := task or self._next()) is not None:
                if isinstance(task, JobRun):
                    self._run_job(task)
                    task = None
                else:
                    task = self._work(task)
        except StorageError:
            raise
        except Exception:
            _log.exception("a worker goes on after an error")
            return False
        return True

    def _is_over(self) -> bool:
        """Whether the calling thread is to end."""
        return self._stop.is_set() or self._working > self._number

    def _next(self) -> Claimed | JobRun | None:
        """What is to be done next, as soon as there is something; None when this thread is to end."""
        with self._lock:
            while not self._is_over():
                if self._jobs:
                    return self._jobs.popleft()
                if any(busy.is_quick for busy in self._busy):  # that thread may come to the next one before this one does
                    self._watch()
                    continue
                if not self._prepared and (counts := self._counts()) is not None and counts.waiting:
                    self._get_ready()
                    continue
                claimed: list[Claimed] = []
                well = self.patience.tried(partial(self._claim, claimed), writes=False)
                if claimed:
                    self._drained = False
                    self._work_ready.notify()
                    return claimed[0]
                if well and not self._busy:
                    self.patience.over()  # nothing waits to be written
                self._drained = well
                self._work_ready.wait(None if well else RETRY_SECONDS)
            self._leave()  # with the lock that was held when it was decided: else a handler that steps aside counts on this thread
        return None

    def _get_ready(self) -> None:
        """Prepare; the lock is held, and given back meanwhile."""
        self._lock.release()
        try:
            self._prepare()
        finally:
            self._lock.acquire()
        self._prepared = True

    def _leave(self) -> None:
        """The calling thread is no worker any more (the lock is held)."""
        thread = threading.current_thread()
        if thread in self._threads:
            self._threads.discard(thread)
            self._working -= 1
            self._work_ready.notify_all()  # it may have been woken for work that is still there
            self._progress.notify_all()

    def _watch(self) -> None:
        """See in a moment whether another thread is still quick; one is enough to do so, and wakes the next when it finds work (the lock is held)."""
        if self._watched:
            self._work_ready.wait()
            return
        self._watched = True
        try:
            self._work_ready.wait(QUICK_SECONDS)
        finally:
            self._watched = False

    def _is_one_too_many(self, busy: Busy) -> bool:
        """Whether a handler was quick, and another thread is at work that is quick too."""
        if not busy.is_quick or len(self._busy) == 1:
            return False
        with self._lock:
            return any(other.is_quick and other is not busy for other in self._busy)

    def _claim(self, claimed: list[Claimed]) -> None:
        claimed += self._inbox.claim(1)

    def _begins(self, busy: Busy) -> bool:
        """Note that it is begun; False where the stop has come since it was handed out."""
        with self._lock:
            if self._stop.is_set():
                return False
            self._busy.add(busy)
            return True

    def _run_job(self, job: JobRun) -> None:
        busy = Busy(job=job.name)
        if not self._begins(busy):
            return
        try:
            job.work()
        except StorageError:
            if not busy.given_up:
                raise
        except BaseException:  # a worker outlives whatever is raised
            _log.exception("the job %s could not be run", job.name)
        finally:
            with self._lock:
                self._busy.discard(busy)
                self._progress.notify_all()

    def _work(self, claimed: Claimed) -> Claimed | None:
        """Handle one update and record how it ended; returns the next one where there is one at once."""
        busy = Busy(claimed)
        if not self._begins(busy):
            self.patience.tried(partial(self._inbox.release, claimed))
            return None
        try:
            end = run_handler(self._handle, claimed, Turn(self, busy, claimed) if self._may_wait else None, self._stop)
            wanted = 0 if self._is_over() or self._is_one_too_many(busy) else 1
            following = self._record(busy, end, wanted)
        finally:
            with self._lock:
                self._busy.discard(busy)
                self._progress.notify_all()
        if following and self._is_over():
            self._inbox.release(*following)
            following = []
        if claimed.alone:
            self.notify()  # a suspect's end lets all others go on
        # Where it did not ask for the next one, the chat that is free now is looked for by this thread itself, or by all when it ends.
        return following[0] if following else None

    def _record(self, busy: Busy, end: End, wanted: int) -> list[Claimed]:
        """Write how an update ended; on a full disk, wait until there is room rather than forget it. Returns up to `wanted` that are to be handled next."""
        following: list[Claimed] = []
        while not busy.given_up:
            try:
                if self.patience.tried(partial(self._write, end, following, wanted)):
                    self._count(end)
                    return following
            except StorageError:
                if busy.given_up:  # its claim is gone: the runtime stops without it
                    break
                raise
            except Exception as error:
                if end.kind == "failed":
                    raise
                _log.exception("what update %d has changed cannot be stored", end.claimed.update_id)
                end = End(end.claimed, "failed", reason=guard().traceback(error))
                continue
            if self._stop.wait(RETRY_SECONDS):
                break  # it stays in the inbox, and is handled again at the next start
        return []

    def _write(self, end: End, following: list[Claimed], wanted: int) -> None:
        following += end.write(self._inbox, wanted)

    def _count(self, end: End) -> None:
        if end.kind == "put back":
            return
        with self._lock:
            self.handled += end.kind == "handled"
            self.failed += end.kind == "failed"
        self._on_finished(end.claimed.update_id)
