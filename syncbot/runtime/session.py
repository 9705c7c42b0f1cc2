"""One run of a runtime, from its start to its stop: who holds what, which threads there are, and in which order they end."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncbot.client.bot import Bot
from syncbot.errors import AlreadyRunning, StorageError, SyncBotError
from syncbot.runtime.backlog import DurableBacklog, MemoryBacklog
from syncbot.runtime.dispatcher import Dispatcher
from syncbot.runtime.idle import IdleLimit
from syncbot.runtime.lock import BotLock
from syncbot.runtime.notify import ServiceNotifier
from syncbot.runtime.poller import Poller
from syncbot.runtime.router import Router
from syncbot.runtime.workers import Workers
from syncbot.storage import open_store
from syncbot.storage.base import Store

_log = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_POLLER_END_SECONDS = 2.0
_STALL_MARGIN_SECONDS = 10.0
_IDLE_LIMIT = "idle_limit"


@dataclass(frozen=True)
class Options:
    """How a runtime runs; see `Runtime` for what each means."""

    state: Path | None
    lock: Path
    workers: int
    allowed_users: frozenset[int] | None
    allowed_updates: tuple[str, ...] | None
    poll_wait: int
    most_waiting: int
    handler_warn_after: float
    grace: float
    standby: bool
    take_over: bool
    drop_pending_updates: bool
    heartbeat_file: Path | None
    notifier: ServiceNotifier


class Session:
    """One run: opened by one thread, supervised by another, ended in a fixed order.

    Args:
        bot: whose updates are handled.
        router: what handles them.
        options: how.
    """

    def __init__(self, bot: Bot, router: Router, options: Options) -> None:
        self.process = os.getpid()
        self.stop = threading.Event()
        self.forced = threading.Event()
        self.done = threading.Event()
        self.polling = threading.Event()
        self.fatal: SyncBotError | None = None
        self.started = time.time()
        self._bot = bot
        self._router = router
        self._options = options
        self._lock = BotLock(options.lock)
        self._threads: set[int] = set()
        self._store: Store | None = None
        self._workers: Workers | None = None
        self._poller: Poller | None = None
        self._backlog: DurableBacklog | MemoryBacklog | None = None
        self._stalled_since: float | None = None

    # ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def take_lock(self) -> bool:
        """Take the bot's lock; False where somebody holds it and this session is to stand by.

        Raises:
            AlreadyRunning: somebody holds it, and this session is not to stand by.
            StorageError: the lock file cannot be made.
        """
        if self._lock.acquire():
            return True
        if self._options.standby:
            return False
        raise AlreadyRunning(
            f"another process handles the updates of bot {self._bot.id} (it holds {self._lock.path}); "
            "stop it first, or wait for its end with Runtime(standby=True)"
        )

    def open(self) -> None:
        """Open the state file and make everything that works on it; the lock is held.

        Raises:
            StorageError: the state file cannot be used.
        """
        options, bot = self._options, self._bot
        store = self._store = open_store(options.state, bot.id)
        recovery = store.inbox.recover()
        if recovery.interrupted or recovery.buried:
            _log.warning(
                "%d updates were being handled when the last run ended, and are handled again; %d went to the dead letters",
                len(recovery.interrupted) - len(recovery.buried),
                len(recovery.buried),
            )
        dispatcher = Dispatcher(self._router, bot, store.data, allowed_users=options.allowed_users, bot_username=self._username)
        self._backlog = DurableBacklog(store.inbox, self.stop, options.most_waiting) if store.persistent else MemoryBacklog(self.stop)
        self._workers = Workers(store.inbox, dispatcher.handle, options.workers, self.stop, on_finished=self._backlog.finished, on_fatal=self.fail)
        self._poller = Poller(
            bot.fetch_updates,
            store.inbox,
            self.stop,
            self._backlog,
            idle=IdleLimit(options.poll_wait, store.meta.get(_IDLE_LIMIT), lambda seconds: store.meta.set(_IDLE_LIMIT, seconds)),
            allowed_updates=options.allowed_updates,
            notify=self._workers.notify,
            remove_webhook=self._remove_webhook if options.take_over else None,
        )
        bot.stop_event = self.stop

    def start(self, *, holds_lock: bool) -> None:
        """Start the threads; the supervisor waits for the lock first if it is not held."""
        threading.Thread(target=self._supervise, args=(holds_lock,), name="syncbot-supervisor", daemon=True).start()

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def poller(self) -> Poller:
        """Fetches updates; there once `open` has returned."""
        assert self._poller is not None
        return self._poller

    @property
    def workers(self) -> Workers:
        """Handle updates; there once `open` has returned."""
        assert self._workers is not None
        return self._workers

    @property
    def store(self) -> Store:
        """What the bot remembers; there once `open` has returned."""
        assert self._store is not None
        return self._store

    @property
    def is_open(self) -> bool:
        """Whether the session works on its state file: it has the lock, and has not ended."""
        return self._workers is not None and not self.done.is_set()

    def is_mine(self) -> bool:
        """Whether the calling thread is one of the session's own, which cannot wait for its end."""
        return threading.current_thread().name.startswith("syncbot-") and not self.done.is_set()

    def fail(self, error: SyncBotError) -> None:
        """End the session because of an error that does not pass by itself."""
        if self.fatal is None:
            self.fatal = error
            _log.critical("the runtime stops: %s", error)
        self.stop.set()

    def _supervise(self, holds_lock: bool) -> None:
        try:
            if not holds_lock and not self._stand_by():
                return
            self.workers.start()
            poller = threading.Thread(target=self._poll, name="syncbot-poller", daemon=True)
            poller.start()
            self._options.notifier.ready()
            while not self.stop.wait(_TICK_SECONDS):
                self._guarded(self.tick)
            self._guarded(self._options.notifier.stopping)
            self._bot.abort_poll()
            self._wake()
            poller.join(_POLLER_END_SECONDS)
        except SyncBotError as error:
            self.fail(error)
        finally:
            self.close()

    def _stand_by(self) -> bool:
        """Wait for the lock and take over; False when the session is stopped first."""
        _log.info("another process handles the updates of bot %d; standing by", self._bot.id)
        if not self._lock.wait(self.stop):
            return False
        _log.warning("taking over the updates of bot %d", self._bot.id)
        self.open()
        return True

    def _poll(self) -> None:
        try:
            self._drop_pending()
            self.polling.set()
            self.poller.run()
        except SyncBotError as error:
            self.fail(error)

    def _drop_pending(self) -> None:
        if not self._options.drop_pending_updates:
            return
        while not self.stop.is_set():
            try:
                self._bot.call("deleteWebhook", drop_pending_updates=True)
            except SyncBotError as error:
                _log.warning("the waiting updates cannot be dropped yet: %s", error)
                self.stop.wait(5.0)
            else:
                return

    def _remove_webhook(self) -> None:
        self._bot.call("deleteWebhook")

    def _username(self) -> str | None:
        """The bot's @name without the @; asked for once, and kept in the state file."""
        known = self.store.meta.get("username")
        if known is None:
            known = self._bot.call("getMe").get("username")
            self.store.meta.set("username", known)
        return known if isinstance(known, str) else None

    def tick(self) -> None:
        """What the supervisor looks after once a second."""
        now = time.monotonic()
        for busy in self.workers.busy():
            if not busy.waiting and not busy.warned and now - busy.since > self._options.handler_warn_after:
                busy.warned = True
                _log.warning("the handler of update %d has been running for %.0f s:\n%s", busy.claimed.update_id, now - busy.since, _stack(busy.thread_id))
        self._end_stalled_poll()
        if self.store.changed_by_others():
            self.workers.notify()
        if self.health()["ok"]:
            self._options.notifier.alive()
            if self._options.heartbeat_file is not None:
                self._options.heartbeat_file.touch()

    def _end_stalled_poll(self) -> None:
        """End a poll that outlives every bound, which a name look-up can make it do."""
        facts = self.poller.facts
        since = facts.under_way_since
        longest_seconds = self._options.poll_wait + self._bot.timeout + _STALL_MARGIN_SECONDS
        if since is not None and since != self._stalled_since and time.time() - since > longest_seconds:
            self._stalled_since = since
            facts.stalled += 1
            _log.warning("a poll has been under way for %.0f s and is ended", time.time() - since)
            self._bot.abort_poll()

    def health(self) -> dict[str, Any]:
        """See `Runtime.health`."""
        facts, now = self.poller.facts, time.time()
        counts = self.store.inbox.counts()
        busy = [each for each in self.workers.busy() if not each.waiting]
        hung = sum(time.monotonic() - each.since > self._options.handler_warn_after for each in busy)
        silent_seconds = now - (facts.last_answer or facts.started)
        traffic = getattr(self._bot.transport, "traffic", None)
        moved_bytes = traffic.sent_bytes + traffic.received_bytes if traffic is not None else 0
        polls_well = silent_seconds < self._options.poll_wait + 2 * self._bot.timeout or not self.polling.is_set()
        return {
            "ok": polls_well and hung < self._options.workers and not self.workers.storage_trouble and not self.stop.is_set(),
            "running": True,
            "last_poll": facts.last_answer,
            "last_error": facts.last_error,
            "lag": 0.0 if counts.oldest is None else max(0.0, now - counts.oldest),
            "queue": counts.waiting,
            "in_flight": counts.running,
            "hung": hung,
            "polls": facts.polls,
            "received": facts.received,
            "handled": self.workers.handled,
            "failed": self.workers.failed,
            "failures": facts.failures,
            "failures_in_a_row": facts.failures_in_a_row,
            "conflicts": facts.conflicts,
            "stalled": facts.stalled,
            "dead_letters": self.store.dead_letters.count(),
            "bytes_a_day": round(moved_bytes / max(now - self.started, 1.0) * 86_400),
        }

    # ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """End what is left, in this order: no new updates (the poller has ended), handlers, state file, lock.

        The lock goes last, so that nobody takes over while a handler still runs.
        """
        self.stop.set()
        try:
            if self._workers is not None:
                self._guarded(lambda: self.workers.join(self._options.grace, self.forced))
            if self._store is not None:
                self._guarded(self._store.close)
        finally:
            self._lock.release()
            if self._bot.stop_event is self.stop:
                self._bot.stop_event = threading.Event()
            self.done.set()

    def _wake(self) -> None:
        if self._backlog is not None:
            self._backlog.wake()
        self.workers.notify()

    @staticmethod
    def _guarded(step: Callable[[], object]) -> None:
        """Run a step whose failure must not keep the supervisor from the next one."""
        try:
            step()
        except (StorageError, OSError) as error:
            _log.error("%s", error)
        except Exception:
            _log.exception("the supervisor goes on after an error")


def _stack(thread_id: int) -> str:
    """Where a thread is now."""
    frame = sys._current_frames().get(thread_id)
    return "".join(traceback.format_stack(frame)) if frame is not None else "(it has just ended)"
