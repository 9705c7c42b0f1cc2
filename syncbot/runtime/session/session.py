"""One run of a runtime, from its start to its stop: who holds what, which threads there are, and in which order they end."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from syncbot.client.bot import Bot
from syncbot.errors import StorageError, SyncBotError, Unauthorized
from syncbot.logs import guard
from syncbot.runtime.durable.asking import delivering
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.handling.dispatcher import Dispatcher
from syncbot.runtime.handling.router import Routes
from syncbot.runtime.jobs.clock import Clock
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.outbox.delivery import SessionDelivery
from syncbot.runtime.outbox.handlers_queue import HandlersQueue
from syncbot.runtime.receiving.backlog import DurableBacklog, MemoryBacklog
from syncbot.runtime.receiving.idle_limit import IdleLimit
from syncbot.runtime.receiving.poller import Poller
from syncbot.runtime.session.catching_up import CatchingUp
from syncbot.runtime.session.learned_note import remember
from syncbot.runtime.session.mode import join_in, join_members, poll_in_turn, write_mode
from syncbot.runtime.session.monitor import Monitor, Watched
from syncbot.runtime.session.session_options import SessionOptions
from syncbot.runtime.work.patient_data import PatientData
from syncbot.runtime.work.questions import Questions
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.runtime.work.workers import Workers
from syncbot.storage import DatabaseUrl, open_store
from syncbot.storage.bot_lock import BotLock
from syncbot.types import AheadAuto

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Store

_log = logging.getLogger(__name__)

_POLLER_END_SECONDS = _LAST_CONFIRMATION_SECONDS = 2.0
_REOPEN_SECONDS = 1.0
_IDLE_LIMIT, _USERNAME = "idle_limit", "username"


class Components(NamedTuple):
    """What an open session consists of."""

    store: Store
    dispatcher: Dispatcher
    backlog: DurableBacklog | MemoryBacklog
    workers: Workers
    clock: Clock
    poller: Poller
    delivery: SessionDelivery
    monitor: Monitor


class Session:
    """One run: opened by one thread, supervised by another, ended in a fixed order.

    Args:
        bot: whose updates are handled.
        routes: what handles them.
        jobs: what jobs do.
        options: how.
    """

    def __init__(self, bot: Bot, routes: Routes, jobs: JobFunctions, options: SessionOptions) -> None:
        self.process = os.getpid()
        self.stop = threading.Event()
        self.forced = threading.Event()
        self.done = threading.Event()
        self.grace = options.grace
        self.fatal: BaseException | None = None
        self.left = 0
        """At its end: updates that have not been handled to their end."""
        self._bot = bot
        self._routes = routes
        self._jobs = jobs
        self._options = options
        self._lock = BotLock(options.lock)
        self._store: Store | None = None
        self._components: Components | None = None
        self._ahead_before: int | AheadAuto = 0
        self._threads: dict[str, threading.Thread] = {}

    # ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def take_lock(self, *, once: bool = False) -> bool:
        """Take the bot's lock; False where somebody holds it and this session is to stand by. A session that does not poll always does.

        Args:
            once: it is for one go, which never stands by.

        Raises:
            AlreadyRunning: somebody holds it and this session is not to stand by; or one of the two polls, and the other does not.
            StorageError: the lock file cannot be made, or the state file cannot be used.
        """
        options = self._options
        if isinstance(options.state, DatabaseUrl):
            return True  # whoever runs handles
        return join_in(self._lock, options.state, self._bot.id, self.stop, poll=options.poll, standby=options.standby and not once, once=once)

    def open(self, *, once: bool = False) -> None:
        """Open the state file and make everything that works on it; the lock is held.

        Args:
            once: it is for one go: handlers are put aside at their questions.

        Raises:
            StorageError: the state file cannot be used.
        """
        options, bot = self._options, self._bot
        store = self._open_store()
        retry = StorageRetry(self.stop)
        data = PatientData(store.data, retry)
        dispatcher = Dispatcher(self._routes, bot, data, jobs=self._jobs, allowed_users=options.allowed_users, bot_username=lambda: self._username(store))
        journal, queue = store.journal if options.durable and store.persistent else None, HandlersQueue(lambda: delivery.files())
        durability = Durability(
            journal, options.interrupted, self.stop.is_set, retry, bot.recorders, replies=options.replies, queue=queue, members=store.members
        )
        workers: Workers
        clock: Clock
        delivery: SessionDelivery
        backlog = DurableBacklog(store.inbox, self.stop, options.most_waiting, lambda: workers.has_idle) if store.persistent else MemoryBacklog(self.stop)
        workers = Workers(
            store.inbox,
            dispatcher.handle,
            options.workers,
            self.stop,
            may_wait=store.persistent,
            may_hold=options.asks == "hold" and not once,
            questions=Questions.of(store, lambda: clock.notify()) if store.persistent else None,
            retry=retry,
            durability=durability,
            per_key=1 if store.members is None else 16,  # where a claim is a trip over a network
            prepare=bot.load_types,
            on_finished=backlog.finished,
            on_job_ended=lambda body: clock.ended(body),
            on_fatal=self.fail,
            on_queued=lambda: delivery.tell(),
        )
        learned = store.meta.get(_IDLE_LIMIT)
        poller = Poller(
            bot.fetch_updates,
            store.inbox,
            self.stop,
            backlog,
            idle=IdleLimit(options.poll_wait, learned if type(learned) is int else None, lambda seconds: remember(store.meta, _IDLE_LIMIT, seconds)),
            allowed_updates=options.allowed_updates,
            drop_pending=options.drop_pending_updates,
            notify=workers.notify,
            remove_webhook=(lambda: self._bot.call("deleteWebhook")) if options.take_over else None,
            album_kinds=self._routes.album_kinds,
        )
        caught_up = CatchingUp(bot, store, poller, workers, polls=options.poll)
        is_alone, is_through = store.members is None, caught_up.is_through
        clock = Clock(store.jobs, self._jobs, retry, workers.notify, questions=workers.questions, has_caught_up=is_through, is_alone=is_alone)
        clock.declare()
        uncertain, delivered = options.uncertain, lambda result: delivering(bot, workers.questions.delivered, result)
        delivery = SessionDelivery(store, options.state, bot, uncertain=uncertain, stop=self.stop, on_fatal=self.fail, on_delivered=delivered)
        monitor = Monitor(Watched(bot, store, workers, clock, poller, delivery, options), self._own_threads, self.stop.is_set)
        self._components = Components(store, dispatcher, backlog, workers, clock, poller, delivery, monitor)
        bot.stop_event = self.stop
        if bot.limiter is not None and store.members is not None:
            bot.limiter.share(store.shared_turns)
        self._ahead_before = bot.ahead
        if options.ahead is not None:
            bot.ahead = options.ahead

    def _open_store(self) -> Store:
        """Open the state file, and become the one that handles."""
        store = self._store = open_store(self._options.state, self._bot.id, options=self._options.store)
        write_mode(store, poll=self._options.poll)
        recovery = store.inbox.recover()
        if store.members is not None:
            join_members(store.members, self._bot, str(self._options.state), poll=self._options.poll)
        if recovery.interrupted or recovery.buried:
            again = len(recovery.interrupted) - len(recovery.buried)
            _log.warning("the last run ended while updates were being handled: %d are handled again, %d went to the dead letters", again, len(recovery.buried))
        return store

    def start(self, work: Callable[[Components], object] | None = None, *, holds_lock: bool) -> None:
        """Start the threads.

        Args:
            work: what is to be done with them; the session ends when it returns. None polls until the stop.
            holds_lock: the session is open; else its supervisor waits for the lock first.
        """
        self._begin("supervisor", lambda: self._supervise(work or self._serve, holds_lock))

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def components_if_open(self) -> Components | None:
        """What it works with; None while it has no lock, and when it has ended."""
        return None if self.done.is_set() else self._components

    @property
    def components(self) -> Components:
        """What it works with.

        Raises:
            RuntimeError: it is not open.
        """
        components = self.components_if_open
        if components is None:
            raise RuntimeError("the runtime does not run")
        return components

    def is_mine(self) -> bool:
        """Whether the calling thread is one of the session's own, which cannot wait for its end."""
        current, components = threading.current_thread(), self._components
        return current in self._own_threads() or (components is not None and current in components.workers.threads)

    def _own_threads(self) -> set[threading.Thread]:
        """The supervisor, the poller and the one that hears of other processes, once they have been started."""
        return set(self._threads.values())

    def fail(self, error: BaseException) -> None:
        """End the session because of an error that does not pass by itself: what has ended one of its threads, say.

        What no call may raise is told in words. At the end of the session errors are no news any more.
        """
        if self._store is None and self._components is not None:
            return
        try:
            if self.fatal is None:
                self.fatal = _in_words(error)
                hint = "; Telegram does not know the token: look at TELEGRAM_BOT_TOKEN, or ask @BotFather for it" if isinstance(error, Unauthorized) else ""
                _log.critical("the runtime stops: %s%s", self.fatal, hint, exc_info=error if self.fatal is not error else None)
        finally:
            self.stop.set()

    def _supervise(self, work: Callable[[Components], object], holds_lock: bool) -> None:
        try:
            if holds_lock or self._stand_by():
                assert self._components is not None
                self._components.workers.start()
                self._components.delivery.notify()
                work(self._components)
        except BaseException as error:  # whatever ends one of the threads ends the session, and is the reason
            self.fail(error)
        finally:
            self.close()

    def _serve(self, components: Components) -> None:
        """Poll, and look after everything, until the stop."""
        if self._options.poll:
            self._begin("poller", lambda: poll_in_turn(components.poller, components.store, self.stop))
        if components.store.persistent:
            self._begin("news", lambda: components.monitor.follow_others(self.stop))
        self._begin("jobs", lambda: components.clock.run(self.stop))
        self._options.notifier.ready("polling" if self._options.poll else "handling")
        while not self.stop.wait(components.monitor.tick_seconds):
            components.monitor.tick()
            if (dead := components.monitor.dead_thread()) and not self.stop.is_set():  # else it has ended because of the stop
                self.fail(SyncBotError(guard().text(dead)))

    def _stand_by(self) -> bool:
        """Wait for the lock and take over; False when the session is stopped first."""
        notifier = self._options.notifier
        _log.info("another process handles the updates of bot %d; standing by", self._bot.id)
        notifier.ready("standing by")
        while self._lock.wait(self.stop, notifier.alive):
            _log.warning("taking over the updates of bot %d", self._bot.id)
            try:
                self.open()
            except StorageError as error:
                if not error.retryable:
                    raise
                _log.error("the state cannot be taken over yet: %s", error)
                self._close_store()
                self._lock.release()
                self.stop.wait(_REOPEN_SECONDS)
            else:
                return True
        return False

    def _begin(self, name: str, work: Callable[[], object]) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # as in _supervise
                self.fail(error)

        thread = threading.Thread(target=run, name=f"syncbot-{name}", daemon=True)
        thread.start()
        self._threads[name] = thread

    def _username(self, store: Store) -> str | None:
        """The bot's @name without the @; asked for once, and kept in the state file."""
        known = store.meta.get(_USERNAME)
        if known is None:
            me = self._bot.call("getMe")
            known = me.get("username") if isinstance(me, dict) else None
            remember(store.meta, _USERNAME, known)
        return known if isinstance(known, str) else None

    def health(self) -> dict[str, Any]:
        """See `Runtime.health`."""
        components = self._components
        if components is None or self.done.is_set():
            return {"ok": False, "running": False, "standby": not self.done.is_set()}
        return components.monitor.health()

    # ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """End what is left, in this order: the poll and new jobs, handlers, the outbox, the last confirmation, the state file, the lock.

        The lock goes last, so that nobody takes over while a handler still runs.
        """
        self.stop.set()
        components = self._components
        try:
            self._guarded(self._options.notifier.stopping)
            if components is not None:
                self._guarded(lambda: self._end_poll(components))
                self._guarded(lambda: components.workers.join(self.grace, self.forced))
                self._guarded(lambda: components.delivery.join(self.grace, self.forced))  # what is on its way gets as long again as handlers had
                self._guarded(components.monitor.end)
                self._guarded(lambda: self._count_left(components))
            if self._bot.stop_event is self.stop:
                self._bot.stop_event = threading.Event()
            if components is not None and self._options.ahead is not None:
                self._bot.ahead = self._ahead_before
            if components is not None and not components.store.persistent and self.fatal is None and not self.forced.is_set():
                self._guarded(lambda: self._confirm(components))
            self._close_store()
        finally:
            try:
                self._guarded(self._lock.release)
            finally:
                self.done.set()  # whoever waits for the end must not wait for ever

    def _end_poll(self, components: Components) -> None:
        components.backlog.wake()
        components.clock.notify()
        components.workers.notify()
        components.delivery.wake()
        if "poller" in self._threads:
            self._bot.abort_poll()
            # A look-up of a name cannot be cut; whoever is in one finds the stop event set when it comes back.
            self._threads["poller"].join(_POLLER_END_SECONDS)

    def _count_left(self, components: Components) -> None:
        try:
            counts = components.store.inbox.counts()
        except StorageError as error:
            self.fail(error)
        else:
            self.left = counts.waiting + counts.running

    def _confirm(self, components: Components) -> None:
        """What was handled since the last poll would be handled again, were it not confirmed (a state file knows it)."""
        offset = components.poller.unconfirmed
        if offset is not None:
            with contextlib.suppress(SyncBotError):
                self._bot.call("getUpdates", offset=offset, limit=1, deadline=_LAST_CONFIRMATION_SECONDS)

    def _close_store(self) -> None:
        self._jobs.follow(None)  # also where the opening has failed behind the clock's declaring
        store, self._store = self._store, None
        if store is not None:
            if self._bot.limiter is not None:
                self._bot.limiter.share(None)
            self._guarded(store.close)
        for name in {"news", "jobs"}.intersection(self._threads):
            self._threads[name].join(_POLLER_END_SECONDS)

    @staticmethod
    def _guarded(step: Callable[[], object]) -> None:
        """Run a step whose failure must not keep the supervisor from the next one."""
        try:
            step()
        except (StorageError, OSError) as error:
            _log.error("%s", error)
        except Exception:
            _log.exception("the runtime ends in spite of an error")


def _in_words(error: BaseException) -> SyncBotError:
    """An error of ours, whatever it was."""
    if isinstance(error, SyncBotError):
        return error
    return SyncBotError(guard().text(f"the thread {threading.current_thread().name} has ended with {type(error).__name__}: {error}"))
