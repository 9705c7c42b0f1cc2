"""What the supervisor looks after while a runtime runs: handlers that hang, polls that stall, and whom to tell that all is well."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from syncbot.client.bot import Bot
from syncbot.errors import StorageError
from syncbot.regular import opener
from syncbot.runtime.jobs.clock import Clock
from syncbot.runtime.outbox.delivery import SessionDelivery
from syncbot.runtime.receiving.poller import Poller
from syncbot.runtime.session.health_note import FactsNote
from syncbot.runtime.session.learned_note import LearnedNote
from syncbot.runtime.session.session_options import SessionOptions
from syncbot.runtime.work.workers import Workers
from syncbot.trouble import LastSaid
from syncbot.types import CountsBytes, HasThreads, Transport

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Store

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_FOREIGN_PAUSE_SECONDS = 0.1
"""However much other processes write, it is looked at no more often; workers of a database's members are told at once."""
_HOUSEKEEPING_SECONDS = 3600.0
_STALL_MARGIN_SECONDS = 10.0
_COUNTED_SECONDS = 1.0


class Watched(NamedTuple):
    """What is watched, and by which measures."""

    bot: Bot
    store: Store
    workers: Workers
    clock: Clock
    poller: Poller
    delivery: SessionDelivery
    options: SessionOptions


class Monitor:
    """Looks after a running bot.

    Args:
        watched: what.
        threads: tells which threads there are beside those of the workers and the deliverer.
        is_stopping: tells whether it is about to end.
    """

    def __init__(self, watched: Watched, threads: Callable[[], set[threading.Thread]], is_stopping: Callable[[], bool]) -> None:
        self._watched = watched
        self._threads = threads
        self._failure_before = _failure(watched.bot.transport)
        self._is_stopping = is_stopping
        self._started = time.monotonic()
        self._bytes_before = _moved_bytes(watched.bot.transport)
        self._stalled_since: float | None = None
        self._tidy_at = self._started + _HOUSEKEEPING_SECONDS
        self._newest_before = watched.store.inbox.counts().newest
        self.tick_seconds = min(_LOOK_SECONDS, watched.options.notifier.watchdog_seconds / 3 or _LOOK_SECONDS)
        self._troubles = defaultdict[str, LastSaid](LastSaid)
        self._facts = FactsNote(watched.store.meta, self.health)
        self._learned = LearnedNote(watched.store.meta, watched.bot.transport)
        if watched.store.members is not None:
            watched.store.members.on_news = watched.workers.notify

    def tick(self) -> None:
        """Look around; to be called every `tick_seconds`. Nothing that goes wrong here may keep it from the rest."""
        self._guarded("storage", self._look_for_foreign_updates)  # whoever wrote them may have died before it could say so
        # An answer elsewhere may have been told of while its question was still being opened here.
        self._guarded("questions", self._watched.workers.questions.look)
        self._watched.clock.tick()
        now, watched = time.monotonic(), self._watched
        self._warn_of_hanging_handlers(now)
        self._end_stalled_poll(now)
        if not self._is_stuck(now) and not self.dead_thread():
            watched.options.notifier.alive()
        if watched.options.heartbeat_file is not None:
            self._guarded("heartbeat", lambda: self._beat(watched.options.heartbeat_file))
        self._guarded("facts", self._facts.tick)
        self._guarded("learned", self._learned.keep)
        if now >= self._tidy_at:
            self._tidy_at = now + _HOUSEKEEPING_SECONDS
            self._guarded("housekeeping", watched.store.maintain)
            watched.workers.notify()  # it may have let something wait again

    def follow_others(self, stop: threading.Event) -> None:
        """Until the stop, or until the state file is closed: see at once what other processes have stored to be handled, or queued to be delivered."""
        while self._watched.store.wait_for_others():
            self._guarded("storage", self._look_for_foreign_updates)
            if stop.wait(_FOREIGN_PAUSE_SECONDS):
                break

    def dead_thread(self) -> str:
        """Which thread has ended that should run, in words; "" where all of them run."""
        for thread in self._expected_threads():
            if not thread.is_alive() and thread in self._expected_threads():  # who is not expected any more has left in order meanwhile
                return f"the thread {thread.name} is dead"
        failure = _failure(self._watched.bot.transport)
        if failure is not None and failure is not self._failure_before:
            return f"a thread that looks after the connections has ended with {type(failure).__name__}: {failure}"
        return str(self._watched.delivery.fatal or "")

    def _expected_threads(self) -> set[threading.Thread]:
        return self._threads() | self._watched.workers.threads | self._watched.delivery.threads

    def end(self) -> None:
        """The run has ended; the state file is still open."""
        self._guarded("facts", self._facts.end)
        self._guarded("learned", self._learned.keep)

    def health(self) -> dict[str, Any]:
        """See `Runtime.health`."""
        watched, facts, now = self._watched, self._watched.poller.facts, time.monotonic()
        hung, durable = self._hung(now), watched.workers.durability.facts
        try:
            counts, dead_letters = watched.store.inbox.counts(), watched.store.dead_letters.count()
        except Exception as error:  # a damaged file; whoever asks wants to know, and has nothing to mend
            return {"ok": False, "running": True, "last_poll": facts.last_answer, "last_error": str(error) or type(error).__name__, "hung": hung}
        polls_well = not self._is_to_poll or facts.is_well(now, watched.options.poll_wait + 2 * watched.bot.timeout)
        well = polls_well and not self._is_stuck(now) and not self.dead_thread() and not self._is_stopping()
        return {
            "ok": well and not watched.workers.retry.trouble and not facts.storage_trouble,
            "running": True,
            "last_poll": facts.last_answer,
            "last_error": facts.last_error,
            "lag": 0.0 if counts.oldest is None else max(0.0, time.time() - counts.oldest),
            "queue": counts.waiting,
            "in_flight": counts.running,
            "polling": self._is_to_poll,
            "members": 1 if watched.store.members is None else watched.store.members.number,
            "open_transaction": 0.0 if watched.store.members is None else watched.store.members.longest_seconds,
            "questions": watched.workers.questions.number,
            "hung": hung,
            "polls": facts.polls,
            "received": counts.newest - self._newest_before,
            "handled": watched.workers.done.handled,
            "failed": watched.workers.done.failed,
            "replayed": durable.replayed,
            "interrupted": durable.interrupted,
            "diverged": durable.diverged,
            "failures": facts.failures,
            "failures_in_a_row": facts.failures_in_a_row,
            "conflicts": facts.conflicts,
            "cut": facts.cut,
            "stalled": facts.stalled,
            "dead_letters": dead_letters,
            "bytes_a_day": self._bytes_a_day(now),
        }

    @property
    def _is_to_poll(self) -> bool:
        """Whether it is this process that polls: of several that handle one does."""
        members = self._watched.store.members
        return self._watched.options.poll and (members is None or members.may_poll)

    def _bytes_a_day(self, now: float) -> int:
        """Reckoned from the start to where the poll under way will end, if nothing comes: a poll moves its bytes when it begins."""
        poll_wait, since = self._watched.options.poll_wait, self._watched.poller.facts.under_way_since
        until = now if since is None else max(now, since + poll_wait)
        seconds = max(until - self._started, poll_wait, _COUNTED_SECONDS)
        return round((_moved_bytes(self._watched.bot.transport) - self._bytes_before) / seconds * 86_400)

    def _hung(self, now: float) -> int:
        return sum(not busy.waiting and now - busy.since > self._watched.options.handler_warn_after for busy in self._watched.workers.busy())

    def _is_stuck(self, now: float) -> bool:
        """Whether every worker hangs. A network that is away is nothing that a new start of the process would mend."""
        return self._hung(now) >= self._watched.options.workers

    def _look_for_foreign_updates(self) -> None:
        changed = self._watched.store.changed_by_others()
        if changed:
            self._watched.bot.expect_calls()
            self._watched.workers.notify()
            self._watched.workers.questions.look()
            self._watched.clock.notify()
        if changed or self._watched.delivery.lacks_thread:
            self._watched.delivery.notify()

    def _warn_of_hanging_handlers(self, now: float) -> None:
        for busy in self._watched.workers.busy():
            if not busy.waiting and not busy.warned and now - busy.since > self._watched.options.handler_warn_after:
                busy.warned = True
                _log.warning("the handler of %s has been running for %.0f s:\n%s", busy.name, now - busy.since, _stack(busy.thread_id))

    def _end_stalled_poll(self, now: float) -> None:
        """End a poll that outlives every bound, which a name look-up can make it do."""
        watched, facts = self._watched, self._watched.poller.facts
        since = facts.under_way_since
        longest_seconds = watched.options.poll_wait + watched.bot.timeout + _STALL_MARGIN_SECONDS
        if since is not None and since != self._stalled_since and now - since > longest_seconds:
            self._stalled_since = since
            facts.stalled += 1
            _log.warning("a poll has been under way for %.0f s and is ended", now - since)
            watched.bot.abort_poll()

    def _beat(self, file: Path | None) -> None:
        if file is not None and self.health()["ok"]:
            with open(file, "ab", opener=opener) as beat:  # touch() would take a pipe or a device as well
                os.utime(beat.fileno())

    def _guarded(self, what: str, step: Callable[[], object]) -> None:
        """Run a step; the same trouble is told once."""
        words, surprise = "", None
        try:
            step()
        except (StorageError, OSError) as error:
            words = str(error)
        except Exception as error:
            words, surprise = f"the monitor goes on after an error: {type(error).__name__}: {error}", error
        if self._troubles[what].is_new(words) and words:
            _log.error("%s", words, exc_info=surprise)


def _moved_bytes(transport: Transport) -> int:
    return transport.traffic.sent_bytes + transport.traffic.received_bytes if isinstance(transport, CountsBytes) else 0


def _failure(transport: Transport) -> BaseException | None:
    """What has last ended a thread of the transport."""
    return transport.failure if isinstance(transport, HasThreads) else None


def _stack(thread_id: int) -> str:
    """Where a thread is now."""
    frame = sys._current_frames().get(thread_id)
    return "".join(traceback.format_stack(frame)) if frame is not None else "(it has just ended)"
