"""The threads that handle updates: fed from the inbox, one chat's updates one after the other, different chats in parallel.

A worker asks the inbox for the next update that may run, handles it, and finishes it; the same transaction hands out the next one. Whatever
a handler does, its worker lives on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from syncbot.errors import Stopped, StorageError
from syncbot.runtime.dispatcher import HandlerFailed
from syncbot.runtime.turns import Turns
from syncbot.storage.base import NO_CHANGES, Changes, Claimed, Inbox

_log = logging.getLogger(__name__)

_STORAGE_RETRY_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.1


class Handle(Protocol):
    """What is done with an update: `Dispatcher.handle`."""

    def __call__(self, raw: dict[str, Any], turn: Turn) -> Changes: ...


@dataclass(eq=False)
class Busy:
    """An update while it is being handled.

    Args:
        claimed: the update.
        thread_id: of the worker, as in `sys._current_frames()`.
        since: `time.monotonic()` at which its handler began.
        waiting: it waits for an answer (`context.ask`) and takes no worker.
        warned: its handler was reported as hanging.
        given_up: the runtime stopped without it; what it does is not recorded any more.
    """

    claimed: Claimed
    thread_id: int
    since: float = field(default_factory=time.monotonic)
    waiting: bool = False
    warned: bool = False
    given_up: bool = False


class Turn:
    """An update's place among the others, as its context sees it: it may wait for an answer without holding up anybody."""

    def __init__(self, workers: Workers, busy: Busy) -> None:
        self._workers = workers
        self._busy = busy

    def ask(self, chat_id: int, user_id: int, timeout: float) -> dict[str, Any]:
        """Wait for the next message of a user in a chat; meanwhile the chat's turn and the worker are free.

        Raises:
            AskTimeout: none came within `timeout` seconds.
            Stopped: the runtime is stopping.
        """
        with self._workers.turns.waiter(chat_id, user_id) as waiter:
            self._workers.step_aside(self._busy)
            try:
                return waiter.wait(timeout)
            finally:
                self._workers.step_back(self._busy)

    def offer(self, chat_id: int, user_id: int, raw: dict[str, Any]) -> bool:
        """Give an update to the handler that waits for it; False when none does."""
        return self._workers.turns.offer(chat_id, user_id, raw)


class Workers:
    """A fixed number of threads that handle what the inbox holds.

    Args:
        inbox: where updates come from.
        handle: what is done with each.
        number: how many handlers run at once.
        stop: set when the runtime stops: no new update is begun.
        on_finished: told the id of each update that is handled, buried or put back.
        on_fatal: told of an error of the state file that does not pass by itself; the thread that met it ends.
    """

    def __init__(
        self,
        inbox: Inbox,
        handle: Handle,
        number: int,
        stop: threading.Event,
        *,
        on_finished: Callable[[int], None] = lambda _: None,
        on_fatal: Callable[[StorageError], None] = lambda _: None,
    ) -> None:
        self.turns = Turns()
        self.handled = 0
        self.failed = 0
        self._inbox = inbox
        self._handle = handle
        self._number = number
        self._stop = stop
        self._on_finished = on_finished
        self._on_fatal = on_fatal
        self._lock = threading.Lock()
        self._work_ready = threading.Condition(self._lock)
        self._progress = threading.Condition(self._lock)
        self._threads: set[threading.Thread] = set()
        self._working = 0
        self._busy: set[Busy] = set()
        self._names = 0
        self.storage_trouble = False

    def start(self) -> None:
        """Start the threads."""
        with self._lock:
            while self._working < self._number:
                self._start_one()

    def notify(self, number: int | None = None) -> None:
        """Say that the inbox has this many new updates (None: perhaps many), or that the stop event was set."""
        with self._lock:
            if number is None:
                self._work_ready.notify_all()
                self._progress.notify_all()
            else:
                self._work_ready.notify(number)

    def busy(self) -> list[Busy]:
        """What is being handled now."""
        with self._lock:
            return list(self._busy)

    def wait_until_idle(self, deadline: float) -> bool:
        """Wait until the inbox is empty; False at `deadline` (`time.monotonic()`) or at a stop."""
        with self._lock:
            while not self._stop.is_set():
                counts = self._inbox.counts()
                left_seconds = deadline - time.monotonic()
                if counts.waiting + counts.running == 0 or left_seconds <= 0:
                    return counts.waiting + counts.running == 0
                self._progress.wait(left_seconds)
        return False

    def join(self, grace: float, forced: threading.Event) -> bool:
        """Wait for the running handlers after the stop event was set; False when some did not return within `grace` seconds, or before `forced`.

        Those are put back into the inbox, and whatever they still do is not recorded; their threads are daemons.
        """
        deadline = time.monotonic() + grace
        self.turns.stop()
        self.notify()
        mine = threading.get_ident()
        with self._lock:
            while any(thread.ident != mine for thread in self._threads) and not forced.is_set():
                left_seconds = deadline - time.monotonic()
                if left_seconds <= 0:
                    break
                self._progress.wait(min(left_seconds, _LOOK_AGAIN_SECONDS))
            left = [busy for busy in self._busy if busy.thread_id != mine]
            for busy in left:
                busy.given_up = True
        if left:
            _log.warning("%d handlers did not end in time; their updates are handled again at the next start", len(left))
            self._inbox.release(*(busy.claimed for busy in left))
        return not left

    def step_aside(self, busy: Busy) -> None:
        """A handler waits for an answer: its chat goes on, and another thread takes its place among the workers."""
        self._inbox.yield_turn(busy.claimed)
        with self._lock:
            busy.waiting = True
            self._working -= 1
            if self._working < self._number and not self._stop.is_set():
                self._start_one()
            self._work_ready.notify_all()

    def step_back(self, busy: Busy) -> None:
        """The answer came: wait for the chat's turn, and count as a worker again (one that is too many ends when it may)."""
        with self._lock:
            while not self._stop.is_set() and not self._inbox.take_turn(busy.claimed):
                self._progress.wait()
            busy.waiting = False
            busy.since = time.monotonic()
            self._working += 1

    def _start_one(self) -> None:
        self._names += 1
        thread = threading.Thread(target=self._run, name=f"syncbot-worker-{self._names}", daemon=True)
        self._threads.add(thread)
        self._working += 1
        thread.start()

    def _run(self) -> None:
        claimed: Claimed | None = None
        try:
            while (claimed := claimed or self._next()) is not None:
                claimed = self._work(claimed)
        except StorageError as error:
            self._on_fatal(error)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                self._working -= 1
                self._progress.notify_all()

    def _is_over(self) -> bool:
        """Whether the calling thread is to end."""
        return self._stop.is_set() or self._working > self._number

    def _next(self) -> Claimed | None:
        """The next update that may run, as soon as there is one; None when this thread is to end."""
        with self._lock:
            while not self._is_over():
                try:
                    claimed = self._inbox.claim(1)
                except StorageError as error:
                    self._complain(error)
                    self._work_ready.wait(_STORAGE_RETRY_SECONDS)
                    continue
                if claimed:
                    return claimed[0]
                self._work_ready.wait()
        return None

    def _work(self, claimed: Claimed) -> Claimed | None:
        """Handle one update and record how it ended; returns the next one where there is one at once."""
        busy = Busy(claimed, threading.get_ident())
        with self._lock:
            self._busy.add(busy)
        end = self._outcome(claimed, Turn(self, busy))
        following = [] if busy.given_up else self._record(end)
        self._on_finished(claimed.update_id)
        with self._lock:
            self._busy.discard(busy)
            surplus = following if self._is_over() else []
            # Finishing frees one chat, and the worker takes that chat's next update itself; only a suspect's end frees more.
            if claimed.alone or surplus:
                self._work_ready.notify_all()
            self._progress.notify_all()
        if surplus:
            self._inbox.release(*surplus)
            return None
        return following[0] if following else None

    def _outcome(self, claimed: Claimed, turn: Turn) -> _End:
        """Run the handler; returns what records its end."""
        inbox = self._inbox
        try:
            changes = self._handle(json.loads(claimed.body), turn)
        except HandlerFailed as failure:
            if self._stop.is_set() and failure.interrupted:
                return lambda _: self._put_back(claimed)
            reason, kept = failure.reason, failure.changes
        except Stopped:
            return lambda _: self._put_back(claimed)
        except BaseException:  # a worker outlives whatever is raised
            _log.exception("update %d could not be dispatched", claimed.update_id)
            reason, kept = traceback.format_exc(), NO_CHANGES
        else:
            self.handled += 1
            return lambda claim: inbox.finish(claimed, changes, claim=claim)
        self.failed += 1
        return lambda claim: inbox.bury(claimed, reason, kept, claim=claim)

    def _put_back(self, claimed: Claimed) -> list[Claimed]:
        self._inbox.release(claimed)
        return []

    def _record(self, end: _End) -> list[Claimed]:
        """Write how an update ended; on a full disk, wait until there is room rather than forget it."""
        while True:
            try:
                following = end(0 if self._is_over() else 1)
            except StorageError as error:
                self._complain(error)
                if self._stop.wait(_STORAGE_RETRY_SECONDS):
                    return []  # it stays in the inbox, and is handled again at the next start
            else:
                if self.storage_trouble:
                    self.storage_trouble = False
                    _log.warning("the state file can be written again")
                return following

    def _complain(self, error: StorageError) -> None:
        """Say once that the state file cannot be written; what does not pass by itself ends this thread."""
        if not error.retryable:
            raise error
        if not self.storage_trouble:
            self.storage_trouble = True
            _log.error("the state file cannot be written: %s", error)


_End = Callable[[int], list[Claimed]]
