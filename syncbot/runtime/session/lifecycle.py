"""What of a runtime is alive in this process: its session, from start to stop, and the intake of what others bring."""

from __future__ import annotations

import _thread
import atexit
import contextlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from syncbot.bounds import check_numbers
from syncbot.client.bot import Bot
from syncbot.config import service_settings
from syncbot.errors import ConfigError, StorageError
from syncbot.process import ForkSafeLock, PerProcess
from syncbot.runtime.durable.seam import note_act
from syncbot.runtime.handling.router import Routes
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.session.mode import need_polling
from syncbot.runtime.session.notify import ServiceNotifier
from syncbot.runtime.session.session import Components, Session
from syncbot.runtime.session.session_options import SessionOptions
from syncbot.runtime.work.storage_retry import RETRY_SECONDS
from syncbot.storage import StoreOptions
from syncbot.storage.address import StatePlace

if TYPE_CHECKING:
    from syncbot.runtime.jobs.jobs import OpenJobs
    from syncbot.runtime.outbox.outbox import OpenQueue
    from syncbot.runtime.receiving.intake import Intake
    from syncbot.runtime.session.early_start import EarlyStart
    from syncbot.runtime.session.summary import Summary

_ONCE_ATTEMPTS = 4
_JOIN_SECONDS = 5.0 if sys.platform == "linux" else 1.0
"""After so long at the latest a signal is seen that could not end the wait for a runtime's end."""
_OUTBOX_PATIENCE_SECONDS = 2.0
"""What of the outbox can only be done later than this is left to the next run."""
_FRESH_SECONDS = 3.0
"""For so long after an empty poll nothing new is looked for; Telegram would hold the same question for as long."""


class Lifecycle:
    """Starts and ends what a runtime runs in this process.

    Args:
        bot: whose updates are handled.
        routes: what handles them.
        jobs: what jobs do.
        options: how.
    """

    def __init__(self, bot: Bot, routes: Routes, jobs: JobFunctions, options: SessionOptions) -> None:
        self.bot = bot
        self.options = options
        self._routes = routes
        self._jobs = jobs
        self._session: Session | None = None
        self._starting = ForkSafeLock()
        self._intakes = PerProcess(self._make_intake)
        self._early: EarlyStart | None = None

    @property
    def session(self) -> Session | None:
        """The session of this process; one that was started before a fork belongs to the parent."""
        session = self._session
        return session if session is not None and session.process == os.getpid() else None

    @property
    def components(self) -> Components | None:
        """What the session works with, while it is open."""
        session = self.session
        return session.components_if_open if session is not None else None

    def open_queue(self) -> OpenQueue | None:
        """The outbox of the session that runs in this process."""
        from syncbot.runtime.outbox.outbox import OpenQueue  # deferred: most bots queue nothing

        note_act(self.bot.recorders)
        if (components := self.components) is None:
            return None
        store, delivery, questions = components.store, components.delivery, components.workers.questions
        return OpenQueue(store.outbox, delivery.files(), store.journal, delivery.notify, on_delivered=questions.delivered)

    def open_jobs(self) -> OpenJobs | None:
        """The jobs of the session that runs in this process."""
        from syncbot.runtime.jobs.jobs import OpenJobs  # deferred: most bots put no jobs

        note_act(self.bot.recorders)
        if (components := self.components) is None:
            return None
        return OpenJobs(components.store.jobs, components.store.journal, components.clock.notify, is_live=True)

    def kinds_asked_for(self) -> tuple[str, ...]:
        """See `Runtime.kinds_asked_for`."""
        given = self.options.allowed_updates
        return tuple(self._routes.kinds_wanted()) if given is None else given

    def album_kinds(self) -> frozenset[str]:
        """The kinds of updates of which albums are collected."""
        return self._routes.album_kinds()

    # ── from start to stop ───────────────────────────────────────────────────────────────────────────────────────────

    def start(self, *, poll: bool = True) -> Session:
        """See `Runtime.start`."""
        if self._early is not None:
            self._early.cancel()
        if not poll:
            self.need_state()
        session = self._new_session(ServiceNotifier(*service_settings()), poll=poll)
        try:
            holds_lock = session.take_lock()
            if holds_lock:
                session.open()
            session.start(holds_lock=holds_lock)
        except BaseException:
            session.close()
            with self._starting.here:
                if self._session is session:  # else somebody has started again, now that this session has ended
                    self._session = None  # it was never started, which is not the same as stopped
            raise
        atexit.register(self.stop)
        return session

    def start_soon(self, start: Callable[[], object]) -> None:
        """Start in this process, or in those that are forked from it, without waiting for a request, as soon as there are jobs, or something waits."""
        from syncbot.runtime.session.early_start import EarlyStart  # deferred: behind a webhook alone
        from syncbot.runtime.session.waiting_work import WaitingWork

        waiting = WaitingWork(self.need_state())
        self._early = EarlyStart(start, lambda: bool(self._jobs.names()) or waiting.is_there())
        self._early.begin()

    def stop(self, grace: float | None = None) -> None:
        """See `Runtime.stop`."""
        if self._early is not None:
            self._early.cancel()
        session = self.session
        atexit.unregister(self.stop)
        self.close_intake()
        if session is None:
            return
        if grace is not None and not session.stop.is_set():
            session.grace = grace
        session.stop.set()
        if session.is_mine():
            return
        session.done.wait(grace)
        session.forced.set()
        session.done.wait()

    def join(self, timeout: float | None = None) -> bool:
        """See `Runtime.join`."""
        session = self.session
        if session is None:
            return True
        if session.is_mine():
            raise RuntimeError("a handler cannot wait for the end of the runtime that it runs in")
        # A wait without an end misses a signal that comes just before it, and cannot be interrupted by one on every system.
        deadline = None if timeout is None else time.monotonic() + timeout
        while not session.done.wait(_JOIN_SECONDS if deadline is None else max(0.0, min(_JOIN_SECONDS, deadline - time.monotonic()))):
            if deadline is not None and time.monotonic() >= deadline:
                return False
        if session.fatal is not None:
            raise session.fatal
        return True

    def run_once(self, max_seconds: float) -> Summary:
        """See `Runtime.run_once`."""
        from syncbot.runtime.session.summary import Summary  # deferred: a bot that goes on polling makes none

        check_numbers(("max_seconds", max_seconds, -float("inf"), float("inf"), False, "50.0"))  # below 0 it is over, for who counts down
        worked: list[tuple[Components, str]] = []
        began = time.monotonic()

        def work(components: Components) -> None:
            error = _work_off(components, began + max_seconds, session.stop)
            components.delivery.work_off(began + max_seconds - time.monotonic(), patience=_OUTBOX_PATIENCE_SECONDS)
            worked.append((components, error))

        with self.signals():
            session = self._new_session(ServiceNotifier())
            try:
                session.take_lock(once=True)
                session.open(once=True)
                need_polling(session.components.store, self.bot.id, str(self.options.state))
                session.start(work, holds_lock=True)
            except BaseException:
                session.close()
                raise
            self.join()
        [(components, error)] = worked
        return Summary(
            components.poller.facts.received, components.workers.done.handled, components.workers.done.failed, session.left, time.monotonic() - began, error
        )

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM stop the session meanwhile, a second one at once; touched in the main thread only, and put back as they were.

        Until there is a new session they do what they did before: nothing has begun, and a signal that came then must not be lost.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        earlier = self.session

        def on_signal(number: int, frame: FrameType | None) -> None:
            # A signal may interrupt anything, also somebody who holds a lock, that of the very event. So only an event is set, and by another thread, which
            # can wait for that lock; one of threading's own takes locks where it is started.
            session = self.session
            if session is not None and session is not earlier:
                _thread.start_new_thread((session.forced if session.stop.is_set() else session.stop).set, ())
            elif callable(handler := before[number]):
                handler(number, frame)
            elif handler is signal.SIG_DFL:
                signal.signal(number, handler)
                signal.raise_signal(number)

        before: dict[int, Any] = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def make_session(self, notifier: ServiceNotifier, *, poll: bool) -> Session:
        """A session that is in nobody's place yet."""
        if not self.bot.types:
            self._routes.refuse_types()
        return Session(self.bot, self._routes, self._jobs, self.options._replace(allowed_updates=self.kinds_asked_for(), notifier=notifier, poll=poll))

    def _new_session(self, notifier: ServiceNotifier, *, poll: bool = True) -> Session:
        """Make a session and put it in its place, before it does anything: a stop that comes now is not to be lost."""
        with self._starting.here:
            session = self.session
            if session is not None and not session.done.is_set():
                raise RuntimeError("this runtime has been started already; stop it first")
            self._session = self.make_session(notifier, poll=poll)
            return self._session

    # ── what others bring ────────────────────────────────────────────────────────────────────────────────────────────

    def need_state(self) -> StatePlace:
        """The state file.

        Raises:
            ConfigError: there is none.
        """
        if self.options.state is None:
            raise ConfigError("a webhook needs a state file, since an update is acknowledged once it is stored; for example Runtime(bot, state='bot.db')")
        return self.options.state

    def intake(self) -> Intake:
        """What stores updates in this process.

        Raises:
            ConfigError: there is no state file to store them in.
        """
        return self._intakes.here

    def _make_intake(self) -> Intake:
        from syncbot.runtime.receiving.intake import Intake  # deferred: a bot that polls has none

        options = self.options
        return Intake(self.need_state(), self.bot.id, options.most_waiting, self._tell_workers, options.store or StoreOptions())

    def close_intake(self) -> None:
        """Let go of the state file; who brings something opens it again."""
        intake = self._intakes.if_made
        if intake is not None:
            intake.close()

    def _tell_workers(self, stored: int) -> None:
        components = self.components
        if components is not None:
            self.bot.expect_calls()
            components.workers.notify(stored)


def _work_off(components: Components, deadline: float, stop: threading.Event) -> str:
    """Fetch and handle until nothing is left or the time is up; returns why it ended early, or ""."""
    poller, workers = components.poller, components.workers
    failures = 0
    while (left_seconds := deadline - time.monotonic()) > 0 and not stop.is_set():
        if _begin_due(components, stop, asked_since=math.inf) is None:
            continue
        failed = poller.facts.failures
        pause_seconds = poller.step(wait=0)
        if poller.facts.failures > failed:
            failures += 1
            if failures >= _ONCE_ATTEMPTS or pause_seconds >= left_seconds:
                workers.wait_until_idle(deadline)
                return poller.facts.last_error
            stop.wait(pause_seconds)
        elif poller.facts.last_batch:
            components.backlog.wait_for_room()  # a handler that hangs does not keep the others' updates from being fetched
        else:
            looked = time.monotonic()
            idle = workers.wait_until_idle(deadline)
            if idle and poller.unconfirmed is None and time.monotonic() - looked < _FRESH_SECONDS and _begin_due(components, stop) == 0:
                return ""
    return "the time was up" if not stop.is_set() else "it was stopped"


def _begin_due(components: Components, stop: threading.Event, *, asked_since: float = 0.0) -> int | None:
    """Begin what is due; returns how much, or a moment later None where the state file cannot be used now. Questions end when all that has come is handled:
    it may be answers, which were given in time while nothing ran.
    """
    retry = components.workers.retry
    try:
        begun = components.clock.begin_due(asked_since=asked_since)
    except StorageError as error:
        retry.met(error)
        stop.wait(RETRY_SECONDS)
        return None
    retry.over()
    return begun
