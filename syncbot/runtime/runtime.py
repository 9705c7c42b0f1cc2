"""The runtime: polls, stores, handles, and stops when told to."""

from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, overload

from syncbot.client.bot import Bot
from syncbot.config import service_settings, state_dir
from syncbot.errors import ConfigError
from syncbot.process import ForkSafeLock
from syncbot.regular import what_else
from syncbot.runtime.handling.handlers import D
from syncbot.runtime.options import listened_to
from syncbot.runtime.outbox.attempt import Uncertain
from syncbot.runtime.outbox.outbox import Opened, RuntimeOutbox
from syncbot.runtime.receiving.idle_limit import LONGEST_WAIT_SECONDS
from syncbot.runtime.session.notify import ServiceNotifier
from syncbot.runtime.session.session import Options, Parts, Session
from syncbot.runtime.session.summary import Summary
from syncbot.runtime.state_file import AUTO, state_path
from syncbot.runtime.webhook_face import Inlets
from syncbot.runtime.work.jobs import JobMethods, Jobs
from syncbot.storage import Store, StoreOptions
from syncbot.storage.bot_lock import lock_path

if TYPE_CHECKING:
    from typing import Self, Unpack

    from syncbot.runtime.handling.handlers import Decorator, PlainDecorator
    from syncbot.runtime.options import RuntimeOptions

_ONCE_ATTEMPTS = 4
_JOIN_SECONDS = 5.0 if sys.platform == "linux" else 1.0
"""After so long at the latest a signal is seen that could not end the wait for a runtime's end."""
_OUTBOX_PATIENCE_SECONDS = 2.0
"""What of the outbox can only be done later than this is left to the next run."""
_FRESH_SECONDS = 3.0
"""For so long after an empty poll nothing new is looked for; Telegram would hold the same question for as long."""


class Runtime(JobMethods, Inlets[D]):
    """Runs a bot: handlers are registered on it, as on any `Router`, and `run`, `start` or `run_once` set it going.

    ```python
    bot = Bot.from_env()
    app = Runtime(bot, state="bot.db", workers=4, allowed_users={42})

    @app.command("start")
    def start(update, context):
        context.reply("Hello")

    app.run()
    ```

    Args:
        bot: whose updates are handled.
        state: the state file, on a local disk. AUTO takes SYNCBOT_STATE, else `<bot id>.db` in the user's state folder. None keeps everything in
            memory: updates are then confirmed to Telegram only after they were handled.
        workers: how many handlers run at once.
        allowed_users: ids of the users who are listened to; anybody else goes nowhere. None takes ALLOWED_TELEGRAM_USER_ID, and without it
            listens to everybody.
        allowed_updates: the kinds of updates to ask Telegram for; None takes those that there are handlers for.
        poll_wait: seconds that a poll waits at most, 1 to 50; shortened where the way to Telegram cuts idle connections.
        most_waiting: above so many waiting updates no more are fetched; Telegram keeps them meanwhile.
        handler_warn_after: seconds after which a running handler is reported with its stack; when that goes for all workers, health is bad.
        grace: seconds that running handlers have to end at a stop.
        standby: when another process handles the bot's updates, wait and take over at its end instead of failing.
        take_over: remove a webhook that is set, since it keeps Telegram from answering polls.
        drop_pending_updates: drop what waits at Telegram when the runtime starts.
        heartbeat_file: a file that is touched about once a second while all is well.
        uncertain: what follows when nobody knows whether a call of the outbox was carried out: "hold" it for somebody to look at, make it "again" (then
            it may be there twice), or "drop" it.
        ahead: how many connections may stand ready for the next calls while the runtime runs, as `Bot(ahead=…)`; None leaves it at what the bot has.
        types: give handlers and filters python-telegram-bot's objects. False gives them the JSON itself with attributes, `syncbot.plain`, and never loads
            telegram: `app.bot` and `context.bot` are then this bot with plain results (the one that was given stays as it is).
        store_options: how the state file behaves, such as `StoreOptions(state_seconds=…)`: for how long the state of a conversation is kept after its
            last update (30 days). None for the defaults.

    Raises:
        ConfigError: an option is wrong.
    """

    @overload
    def __init__(self: Runtime[Decorator], bot: Bot, *, types: Literal[True] = True, **options: Unpack[RuntimeOptions]) -> None: ...
    @overload
    def __init__(self: Runtime[PlainDecorator], bot: Bot, *, types: Literal[False], **options: Unpack[RuntimeOptions]) -> None: ...
    def __init__(
        self,
        bot: Bot,
        *,
        state: str | os.PathLike[str] | None = AUTO,
        workers: int = 4,
        allowed_users: Iterable[int] | None = None,
        allowed_updates: Sequence[str] | None = None,
        poll_wait: int = LONGEST_WAIT_SECONDS,
        most_waiting: int = 1000,
        handler_warn_after: float = 60.0,
        grace: float = 10.0,
        standby: bool = False,
        take_over: bool = False,
        drop_pending_updates: bool = False,
        heartbeat_file: str | os.PathLike[str] | None = None,
        uncertain: Uncertain = "hold",
        ahead: int | None = None,
        types: bool = True,
        store_options: StoreOptions | None = None,
    ) -> None:
        super().__init__()
        if workers < 1:
            raise ConfigError(f"workers: {workers} is too few; give at least 1, for example workers=4")
        if not 1 <= poll_wait <= LONGEST_WAIT_SECONDS:
            raise ConfigError(f"poll_wait: {poll_wait} is not between 1 and {LONGEST_WAIT_SECONDS} seconds; for example poll_wait=50")
        if uncertain not in ("hold", "again", "drop"):
            raise ConfigError(f'uncertain: {uncertain!r} is none of "hold", "again" and "drop"; for example uncertain="hold"')
        if ahead is not None and ahead < 0:
            raise ConfigError(f"ahead: {ahead} is less than none; give how many connections may stand ready, for example ahead=3")
        if heartbeat_file is not None and (wrong := what_else(heartbeat_file)):
            raise ConfigError(f"heartbeat_file: {os.fspath(heartbeat_file)}: {wrong}; name a file, for example heartbeat_file='/run/mybot/alive'")
        if not types:
            from syncbot.client.plain_bot import PlainBot  # deferred: most bots have telegram's types

            bot = PlainBot.of(bot)
        self.bot = bot
        self._jobs = Jobs()
        self._session: Session | None = None
        self._starting = ForkSafeLock()
        path = None if state is None else state_path(bot, state)
        self._options = Options(
            state=path,
            lock=lock_path(path, bot.id, state_dir()),
            workers=workers,
            allowed_users=listened_to(bot, allowed_users),
            allowed_updates=tuple(allowed_updates) if allowed_updates is not None else None,
            poll_wait=poll_wait,
            most_waiting=most_waiting,
            handler_warn_after=handler_warn_after,
            grace=grace,
            standby=standby,
            take_over=take_over,
            drop_pending_updates=drop_pending_updates,
            heartbeat_file=Path(heartbeat_file) if heartbeat_file is not None else None,
            store=store_options,
            notifier=ServiceNotifier(),
            uncertain=uncertain,
            ahead=ahead,
        )
        self.outbox = RuntimeOutbox(path, bot, self._open_outbox)
        """Queues calls in the state file (any method: `app.outbox.send_message(…)`); the runtime delivers them, in order per chat."""

    @property
    def state(self) -> Path | None:
        """The state file; None in memory."""
        return self._options.state

    def run(self) -> None:
        """Run until SIGINT or SIGTERM, or until `stop` is called; a second signal ends running handlers' time at once.

        Signals are only touched when called in the main thread, and put back as they were.

        Raises:
            Unauthorized: Telegram does not know the token.
            AlreadyRunning, StorageError, ConfigError: it could not start, or not go on.
        """
        with self._signals():
            self.start()
            self.join()

    def start(self, *, poll: bool = True) -> None:
        """Start to poll and handle in threads of its own, and return.

        Args:
            poll: fetch updates from Telegram. False handles what a webhook, or `process`, brings into the state file, in this process or in
                others; of several such processes one handles, and another takes over when it ends.

        Raises:
            AlreadyRunning: another process handles the bot's updates, and this one is not to stand by; or one of the two polls, and the other
                does not.
            StorageError: the state file cannot be used.
            ConfigError: it is not to poll, and there is no state file that others could bring updates into.
            RuntimeError: it has been started already.
        """
        if not poll:
            self._need_state()
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

    def stop(self, grace: float | None = None) -> None:
        """Stop: the waiting poll ends at once, running handlers have their time, and then everything is closed.

        May be called from any thread, at any time, and more than once; called from a handler, it returns before the end.

        Args:
            grace: seconds to wait for running handlers; None takes the runtime's.
        """
        session = self._current()
        atexit.unregister(self.stop)
        self._close_intake()
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
        """Wait until the runtime has ended; False when `timeout` seconds pass first.

        Raises:
            Unauthorized, StorageError: what made it end, if it was not asked to.
        """
        session = self._current()
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

    def run_once(self, max_seconds: float = 60.0) -> Summary:
        """Fetch what waits at Telegram, handle it, confirm it, and return: for cron.

        Args:
            max_seconds: when to stop even if more waits; what is left stays in the state file (or, without one, at Telegram).

        Raises:
            AlreadyRunning: another process is at it.
            Unauthorized: Telegram does not know the token.
            StorageError: the state file cannot be used.
        """
        worked: list[tuple[Parts, str]] = []
        began = time.monotonic()

        def work(parts: Parts) -> None:
            error = _work_off(parts, began + max_seconds, session.stop)
            parts.deliverer.work_off(began + max_seconds - time.monotonic(), patience=_OUTBOX_PATIENCE_SECONDS)
            worked.append((parts, error))

        with self._signals():
            session = self._new_session(ServiceNotifier())
            try:
                session.take_lock(once=True)
                session.open()
                session.start(work, holds_lock=True)
            except BaseException:
                session.close()
                raise
            self.join()
        [(parts, error)] = worked
        return Summary(parts.poller.facts.received, parts.workers.done.handled, parts.workers.done.failed, session.left, time.monotonic() - began, error)

    def kinds_asked_for(self) -> tuple[str, ...]:
        """The kinds of updates that Telegram is asked for."""
        given = self._options.allowed_updates
        return tuple(self.kinds_wanted()) if given is None else given

    def health(self) -> dict[str, Any]:
        """How the bot is, as plain values: `ok`, `running`, `last_poll` (time of the last answer), `lag` (age of the oldest waiting update in
        seconds), `queue`, `in_flight`, `hung`, counts of polls, updates and failures, `dead_letters`, `bytes_a_day` (reckoned from the
        time since the start). `received` counts what was stored since the start, by whichever process; what is put back from the dead letters again.

        `ok` is False while a thread is dead, while every worker hangs, while the state file cannot be used, and from two seconds on in which no poll
        waits at Telegram; a pause that Telegram has asked for, and one in which too many updates wait here, are no trouble.

        Where nothing runs in this process it is just `{"ok": False, "running": False, "standby": …}`, and `standby` says whether it waits for its turn.
        """
        session = self._current()
        return session.health() if session is not None else {"ok": False, "running": False, "standby": False}

    @property
    def store(self) -> Store:
        """What the bot remembers, its dead letters among it, while it runs.

        Raises:
            RuntimeError: it does not run (`syncbot.storage.open_store` opens a state file then).
        """
        session = self._current()
        if session is None:
            raise RuntimeError("the runtime does not run")
        return session.parts.store

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _current(self) -> Session | None:
        """The session of this process; one that was started before a fork belongs to the parent."""
        session = self._session
        return session if session is not None and session.process == os.getpid() else None

    def _new_session(self, notifier: ServiceNotifier, *, poll: bool = True) -> Session:
        """Make a session and put it in its place, before it does anything: a stop that comes now is not to be lost."""
        with self._starting.here:
            session = self._current()
            if session is not None and not session.done.is_set():
                raise RuntimeError("this runtime has been started already; stop it first")
            self._session = self._make_session(notifier, poll=poll)
            return self._session

    def _make_session(self, notifier: ServiceNotifier, *, poll: bool) -> Session:
        if not self.bot.types:
            self.refuse_types()
        return Session(self.bot, self, self._jobs, replace(self._options, allowed_updates=self.kinds_asked_for(), notifier=notifier, poll=poll))

    def _open_outbox(self) -> Opened | None:
        """The outbox of the session that runs in this process."""
        session = self._current()
        parts = session.parts_if_open if session is not None else None
        if parts is None:
            return None
        return Opened(parts.store.outbox, parts.outbox_folder, parts.deliverer.notify)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def on_signal(number: int, frame: FrameType | None) -> None:
            # A signal may interrupt anything, also somebody who holds a lock, that of the very event. So only an event is set, and by another thread, which
            # can wait for that lock; one of threading's own takes locks where it is started.
            session = self._current()
            if session is not None:
                _thread.start_new_thread((session.forced if session.stop.is_set() else session.stop).set, ())

        before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _work_off(parts: Parts, deadline: float, stop: threading.Event) -> str:
    """Fetch and handle until nothing is left or the time is up; returns why it ended early, or ""."""
    poller, workers = parts.poller, parts.workers
    failures = 0
    while (left_seconds := deadline - time.monotonic()) > 0 and not stop.is_set():
        failed = poller.facts.failures
        pause_seconds = poller.step(wait=0)
        if poller.facts.failures > failed:
            failures += 1
            if failures >= _ONCE_ATTEMPTS or pause_seconds >= left_seconds:
                workers.wait_until_idle(deadline)
                return poller.facts.last_error
            stop.wait(pause_seconds)
        elif poller.facts.last_batch:
            parts.backlog.wait_for_room()  # a handler that hangs does not keep the others' updates from being fetched
        else:
            looked = time.monotonic()
            if workers.wait_until_idle(deadline) and poller.unconfirmed is None and time.monotonic() - looked < _FRESH_SECONDS:
                return ""
    return "the time was up" if not stop.is_set() else "it was stopped"
