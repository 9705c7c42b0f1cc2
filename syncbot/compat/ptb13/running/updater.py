"""`Updater`: a bot's dispatcher and job queue, and the runtime that brings it updates."""

from __future__ import annotations

import _thread
import logging
import math
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import Any

from syncbot.compat.ptb13.bot.bot import Bot
from syncbot.compat.ptb13.bot.errors import as_telegram_error
from syncbot.compat.ptb13.bot.request import Request
from syncbot.compat.ptb13.contexts.context_types import ContextTypes
from syncbot.compat.ptb13.defaults import DEFAULT_FALSE, Defaults, DefaultValue
from syncbot.compat.ptb13.jobs.jobqueue import JobQueue
from syncbot.compat.ptb13.persistence.picklepersistence import PicklePersistence
from syncbot.compat.ptb13.running.dispatcher import Dispatcher
from syncbot.compat.ptb13.work import Work
from syncbot.config import from_environment
from syncbot.errors import ApiError, ConfigError, Conflict, NetworkError, RetryAfter, Stopped
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.handlers import Handler
from syncbot.runtime.handling.kinds import KINDS
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.state_file import AUTO
from syncbot.secret import Secret

_log = logging.getLogger(__name__)
_ASKED_FOR_BY_NAME = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_USUAL_KINDS = tuple(kind.name for kind in KINDS if kind.name not in _ASKED_FOR_BY_NAME)
"""What Telegram sends to a bot that names no kinds."""
_LEAST_WAIT_SECONDS, _USUAL_WAIT_SECONDS, _MOST_WAIT_SECONDS = 1, 10, 50
_GRACE_SECONDS = 10.0
_MOST_ASIDE = 256
"""So many updates wait at once for functions in threads of their own without holding up their chats; a thread waits for each."""
_AWAITED = ("syncbot-worker", "syncbot-ptb13-", "syncbot-supervisor")
"""What the threads are called that the end waits for: handlers, jobs and the queue run on them."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGABRT)


class Updater:
    """Brings updates to a dispatcher.

    ```python
    updater = Updater("TOKEN")
    updater.dispatcher.add_handler(CommandHandler("start", start))
    updater.start_polling()
    updater.idle()
    ```

    With a state file every update is stored before it is confirmed to Telegram, and one whose handler was interrupted is handled again.

    Args:
        token, base_url, base_file_url, private_key, private_key_password, defaults, arbitrary_callback_data: of the `Bot` that is made.
        workers: threads for handlers with `run_async`.
        bot: a bot that was made already, instead of these.
        user_sig_handler: called with the signal and the frame that ended `idle`.
        request_kwargs: the network's settings, see `Request`.
        persistence: keeps data and conversations.
        use_context: False calls handlers as `callback(bot, update)`.
        dispatcher: one that was made already, instead of all but `user_sig_handler`.
        context_types: which classes handlers meet.
        state: the state file; None takes SYNCBOT_STATE. Without any, what is not handled yet stays at Telegram.
        handlers_at_once: how many handlers run at once, each for another chat; with one, as it was in 13, none meets another.

    Raises:
        ValueError: what to make it of is missing, or given twice.
        telegram.error.InvalidToken, ConfigError: a value is wrong.
    """

    def __init__(
        self,
        token: str | Secret[str] | None = None,
        base_url: str | None = None,
        workers: int = 4,
        bot: Bot | None = None,
        private_key: Any = None,
        private_key_password: bytes | None = None,
        user_sig_handler: Callable[[int, FrameType | None], Any] | None = None,
        request_kwargs: Mapping[str, Any] | None = None,
        persistence: Any = None,
        defaults: Defaults | None = None,
        use_context: bool = True,
        dispatcher: Dispatcher | None = None,
        base_file_url: str | None = None,
        arbitrary_callback_data: bool | int | DefaultValue | None = DEFAULT_FALSE,
        context_types: ContextTypes | None = None,
        *,
        state: str | os.PathLike[str] | None = None,
        handlers_at_once: int = 1,
    ) -> None:
        hidden, network = Secret(token or ""), Secret(request_kwargs)
        del token, request_kwargs
        if [bool(hidden), bot is not None, dispatcher is not None].count(True) != 1:
            raise ValueError("an Updater needs one of token, bot and dispatcher: Updater('123456789:AAE…')")
        if dispatcher is None:
            if bot is None:
                extras = (private_key, private_key_password, defaults, DefaultValue.get_value(arbitrary_callback_data) or False)
                bot = Bot(hidden, base_url, base_file_url, Request.of(network.reveal()), *extras)
            if isinstance(persistence, PicklePersistence) and state is not None:
                persistence.state = state
            dispatcher = Dispatcher(bot, queue.Queue(), workers, None, JobQueue(), persistence, use_context, context_types)
            dispatcher.job_queue.set_dispatcher(dispatcher)
        if dispatcher.update_queue is None:
            dispatcher.update_queue = queue.Queue()
        self.dispatcher = dispatcher
        self.bot: Bot = dispatcher.bot
        self.job_queue = dispatcher.job_queue
        self.update_queue = dispatcher.update_queue
        self.persistence = dispatcher.persistence
        self.user_sig_handler = user_sig_handler
        self.is_idle = False
        self._state = state
        self._at_once = handlers_at_once
        self._turns = threading.Semaphore(handlers_at_once)
        self._aside = threading.Semaphore(_MOST_ASIDE)
        self._is_durable = self._holds = False
        self._lock = threading.RLock()
        self._runtime: Runtime[Any] | None = None
        self._watcher: threading.Thread | None = None
        self._failure: Exception | None = None
        self._ends_at = math.inf
        """`time.monotonic()` at which those have had their time that are at something."""

    @property
    def running(self) -> bool:
        """Whether it brings updates."""
        watcher = self._watcher
        return watcher is not None and watcher.is_alive()

    # ── from start to stop ───────────────────────────────────────────────────────────────────────────────────────────

    def start_polling(
        self,
        poll_interval: float = 0.0,
        timeout: float = _USUAL_WAIT_SECONDS,
        clean: bool | None = None,
        bootstrap_retries: int = -1,
        read_latency: float = 2.0,
        allowed_updates: Sequence[str] | None = None,
        drop_pending_updates: bool | None = None,
    ) -> queue.Queue[object] | None:
        """Ask Telegram for updates, and have them handled, in threads of its own; return at once.

        Args:
            timeout: seconds that a poll waits at most; with the usual ten it waits as long as the way to Telegram allows.
            drop_pending_updates, clean: drop what waits at Telegram.
            allowed_updates: the kinds to ask for; None for all but those that have to be named.
            poll_interval, bootstrap_retries, read_latency: not used: the poller has its own pauses.

        Returns:
            What is put in here is handled as an update too; None where it runs already.

        Raises:
            AlreadyRunning, StorageError, ConfigError: it could not start.
        """
        wait = _MOST_WAIT_SECONDS if timeout == _USUAL_WAIT_SECONDS else int(min(max(timeout, _LEAST_WAIT_SECONDS), _MOST_WAIT_SECONDS))
        options = {"poll_wait": wait, "take_over": True, "drop_pending_updates": _dropped(clean, drop_pending_updates)}
        return self._start(self._made(self._state_file(), allowed_updates, options), lambda runtime: runtime.join(), starts=True)

    def start_webhook(
        self,
        listen: str = "127.0.0.1",
        port: int = 80,
        url_path: str = "",
        cert: str | None = None,
        key: str | None = None,
        clean: bool | None = None,
        bootstrap_retries: int = 0,
        webhook_url: str | None = None,
        allowed_updates: Sequence[str] | None = None,
        force_event_loop: bool | None = None,
        drop_pending_updates: bool | None = None,
        ip_address: str | None = None,
        max_connections: int = 40,
    ) -> queue.Queue[object] | None:
        """Set a webhook, and have what it brings handled, in threads of its own; return at once. It needs a state file, and takes the user's without one.

        Args:
            listen, port: where to listen.
            url_path: the path that arrives here.
            cert: the file of a self-signed certificate, which Telegram is given; the web server in front, which ends TLS, has it too.
            key: not possible: TLS ends at the web server in front.
            drop_pending_updates, clean: drop what waits at Telegram.
            webhook_url: where Telegram finds it; None makes it of `listen`, `port` and `url_path`.
            allowed_updates, ip_address, max_connections: of setWebhook.
            bootstrap_retries, force_event_loop: not used.

        Returns:
            As `start_polling`.

        Raises:
            ConfigError: a key is given, or the certificate cannot be read.
            AlreadyRunning, StorageError: it could not start.
        """
        if key is not None:
            raise ConfigError("start_webhook(key=…): this server speaks no TLS; put nginx or Caddy in front of it, give that the key, and leave it out here")
        path = f"/{url_path.lstrip('/')}"
        url = webhook_url or f"https://{listen}:{port}{path}"
        served: dict[str, Any] = {"listen": listen, "port": port, "path": path, "max_connections": max_connections, "ip_address": ip_address}
        served["certificate"] = cert
        served["drop_pending_updates"] = _dropped(clean, drop_pending_updates)
        return self._start(
            self._made(self._state_file() or AUTO, allowed_updates, {}),
            lambda runtime: runtime.webhook.run(url, **served),
            starts=False,
        )

    def idle(self, stop_signals: Sequence[int] = _SIGNALS) -> None:
        """Wait until one of these signals comes, or `stop` is called; a second signal does not wait for handlers that run.

        Raises:
            telegram.error.TelegramError, StorageError: what made it end, if it was not asked to.
        """
        signalled = threading.Event()
        try:
            with self._on_signals(stop_signals, signalled):
                self.is_idle = True
                # A wait without an end cannot be interrupted by a signal on every system. What was never started waits for a signal alone.
                while self.running or not (self._watcher is not None or signalled.is_set()):
                    (signalled.wait if self._watcher is None else self._watcher.join)(1.0)
        finally:
            self.is_idle = False
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop: the waiting poll ends at once, handlers that run have ten seconds, and then everything is closed.

        May be called from any thread; called from a handler, it returns before the end.
        """
        self._stop(None)

    def _stop(self, grace: float | None) -> None:
        with self._lock:  # which the first handler may have to wait for: it may run already while everything else is started
            runtime, watcher = self._runtime, self._watcher
            self._ends_at = min(self._ends_at, time.monotonic() + (_GRACE_SECONDS if grace is None else grace))
        if runtime is None or watcher is None:
            return
        runtime.stop(grace)
        if threading.current_thread() is watcher or threading.current_thread().name.startswith(_AWAITED):
            return
        while watcher.is_alive():
            watcher.join(0.2)
            runtime.stop(grace)  # again: it may just have begun

    def _start(self, runtime: Runtime[Any], wait: Callable[[Runtime[Any]], object], *, starts: bool) -> queue.Queue[object] | None:
        with self._lock:
            if self.running:
                return None
            feeder = threading.Thread(target=partial(self.dispatcher.start, turns=self._turns), name="syncbot-ptb13-queue", daemon=True)
            # It holds the process, as the threads of 13 did: not all programs call idle().
            watcher = threading.Thread(target=self._watch, args=(runtime, wait, feeder), name="updater", daemon=False)
            self._is_durable = runtime.state is not None
            self._holds = self._is_durable and isinstance(self.persistence, PicklePersistence) and self.persistence.place == runtime.state
            self._failure, self._ends_at = None, math.inf
            self.dispatcher.in_hand.clear()  # what an earlier run has put aside is handled again
            self.bot.syncbot.on_failed_poll = self._poll_failed
            if starts:
                runtime.start()
            self._runtime, self._watcher = runtime, watcher
            if self.job_queue is not None:
                self.job_queue.start()
            self.dispatcher.running = True  # before its thread says so: a stop may come first
            feeder.start()
            watcher.start()
            return self.update_queue

    def _watch(self, runtime: Runtime[Any], wait: Callable[[Runtime[Any]], object], feeder: threading.Thread) -> None:
        """Wait until it is over, and close everything."""
        try:
            wait(runtime)
        except (ApiError, NetworkError) as error:
            self._failure = as_telegram_error(error)
            self._failure.__cause__ = error
        except Exception as error:
            self._failure = error
        if self._failure is not None:
            _log.critical("the updater has ended: %s", self._failure)
        try:
            self._close(feeder)
        except Exception as error:
            _log.critical("the updater could not be closed", exc_info=error)
            self._failure = self._failure or error

    def _close(self, feeder: threading.Thread) -> None:
        """End what runs beside the runtime, and keep what is to be kept; each step comes, whatever the ones before have raised."""
        with ExitStack() as steps:  # the last one is the first
            steps.callback(self.bot.syncbot.close)
            if self.persistence:
                steps.callback(self.persistence.flush)
                steps.callback(self.dispatcher.update_persistence)
            steps.callback(lambda: feeder.join(self._seconds_left()))
            steps.callback(lambda: self.dispatcher.stop(self._seconds_left()))
            if self.job_queue is not None:
                steps.callback(self.job_queue.stop)

    def _seconds_left(self) -> float:
        """How much of their time is left to those that are at something."""
        return max(0.0, min(_GRACE_SECONDS, self._ends_at - time.monotonic()))

    @contextmanager
    def _on_signals(self, signals: Sequence[int], signalled: threading.Event) -> Iterator[None]:
        """Stop at these signals; touched in the main thread only, and put back as they were."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        seen: list[int] = []

        def stop(grace: float | None) -> None:
            signalled.set()
            self._stop(grace)

        def on_signal(number: int, frame: FrameType | None) -> None:
            seen.append(number)
            _thread.start_new_thread(stop, (0.0 if len(seen) > 1 else None,))  # by another thread: this one may hold any lock
            if self.user_sig_handler is not None:
                self.user_sig_handler(number, frame)

        before = {number: signal.signal(number, on_signal) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # ── updates ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _state_file(self) -> str | os.PathLike[str] | None:
        if self._state is not None:
            return self._state
        is_kept = from_environment("state").get("state") is not None or isinstance(self.persistence, PicklePersistence)
        return AUTO if is_kept else None

    def _made(self, state: str | os.PathLike[str] | None, allowed_updates: Sequence[str] | None, options: Mapping[str, Any]) -> Runtime[Any]:
        kinds = tuple(allowed_updates) if allowed_updates else _USUAL_KINDS
        runtime: Runtime[Any] = Runtime(
            self.bot.syncbot, state=state, workers=self._at_once, allowed_updates=kinds, grace=_GRACE_SECONDS, ahead=None, **options
        )
        runtime.add_handler(Handler([kind.name for kind in KINDS], self._entry))
        return runtime

    def _entry(self, update: Any, context: Context) -> None:
        """What the runtime calls with each update. It has ended when all of its handlers have, and what they have changed is kept with that end."""
        failure = None
        work = Work(update, self._holds)
        with self.dispatcher.working(work, context.run.is_stopping):
            try:
                with self._turns:
                    work.began = time.monotonic()
                    self.bot.restore_buttons(update)
                    self.dispatcher.handle(update, context.run.is_stopping)
            except Stopped:
                raise
            except Exception as error:
                failure = error
            if work.has_begun and self._is_durable:
                self._wait(work, context)
            if work.rows:
                context.run.kept = self.persistence.changes(work, self.dispatcher.in_hand - {work})
            if failure is not None:
                try:
                    raise failure
                finally:
                    del failure  # its traceback holds this frame: a circle

    def _wait(self, work: Work, context: Context) -> None:
        """Wait for what runs in threads of its own. The chat's next update goes on meanwhile, unless too many wait so already."""
        if not self._aside.acquire(blocking=False):
            work.wait()
            return
        try:
            with context.aside():
                work.wait()
        finally:
            self._aside.release()

    def _poll_failed(self, error: ApiError | NetworkError) -> None:
        """Have the error handlers told of it, as 13 did; without any the poller's own words in the log are enough."""
        passes = isinstance(error, RetryAfter) or (isinstance(error, NetworkError) and error.timed_out)
        is_webhook = isinstance(error, Conflict) and "webhook" in error.description.lower()  # which is removed then
        if self.dispatcher.error_handlers and not (passes or is_webhook):
            told = as_telegram_error(error)
            told.__cause__ = error
            self.update_queue.put(told)


def _dropped(clean: bool | None, drop_pending_updates: bool | None) -> bool:
    if clean is not None and drop_pending_updates is not None:
        raise TypeError("give either clean or drop_pending_updates, not both")
    return bool(clean if drop_pending_updates is None else drop_pending_updates)
