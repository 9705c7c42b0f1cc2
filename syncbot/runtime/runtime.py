"""The runtime: polls, stores, handles, and stops when told to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from syncbot.bounds import MOST_SECONDS, check_numbers
from syncbot.client.bot import Bot
from syncbot.config import state_dir
from syncbot.errors import ConfigError
from syncbot.regular import what_else
from syncbot.runtime.durable.options import Asks, HandlerOptions, Interrupted, Replies, wrong_asks, wrong_interrupted, wrong_replies
from syncbot.runtime.handling.handlers import D
from syncbot.runtime.handling.router import Router
from syncbot.runtime.handling.stored_dict import all_owners
from syncbot.runtime.jobs.functions import JobDecorator, JobFunctions, MissedWord
from syncbot.runtime.options import asked_kinds, listened_to, opened_ahead, wrong_option
from syncbot.runtime.receiving.idle_limit import LONGEST_WAIT_SECONDS
from syncbot.runtime.session.lifecycle import Lifecycle
from syncbot.runtime.session.notify import ServiceNotifier
from syncbot.runtime.session.session_options import SessionOptions
from syncbot.runtime.state_file import AUTO, state_path
from syncbot.secret import Secret
from syncbot.storage import DatabaseUrl, Scope, StatePlace, StoreOptions, open_store
from syncbot.storage.bot_lock import lock_path
from syncbot.types import AheadMode

if TYPE_CHECKING:
    from syncbot.runtime.handling.handlers import Decorator, PlainDecorator
    from syncbot.runtime.jobs.jobs import Jobs
    from syncbot.runtime.keywords import RuntimeOptions
    from syncbot.runtime.outbox.attempt import Uncertain
    from syncbot.runtime.outbox.outbox import RuntimeOutbox
    from syncbot.runtime.session.summary import Summary
    from syncbot.runtime.webhook_face import WebhookFace
    from syncbot.storage.promises.parts import Store
    from syncbot.webhook.edge import WebhookApp

_MOST_WORKERS = 1000


class Runtime(Router[D]):
    """Runs a bot: handlers are registered on it, as on a `Router`, and `run`, `start` or `run_once` set it going.

    ```python
    bot = Bot.from_env()
    app = Runtime(bot, state="bot.db", workers=4, allowed_users={42})

    @app.command("start")
    def start(update, context):
        context.reply("Hello")

    app.run()
    ```

    It is a `Router`, with its handlers in `routes`; what jobs do is in `job_functions`, when they do it in `jobs`, and what is brought to it in `webhook`:
    the methods of all but `jobs` are its own too.

    Args:
        bot: whose updates are handled.
        state: the state file, on a local disk, or the URL of a PostgreSQL database. AUTO takes SYNCBOT_STATE, else `<bot id>.db` in the user's state
            folder. None keeps everything in memory: updates are then confirmed to Telegram only after they were handled.
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
        durable: a handler that runs again after the death of the process goes on where it died, and makes no call twice; False runs it from its
            beginning. Needs a state file; see docs/durable.md.
        interrupted: what follows for a handler's call that was under way then: make it "again" (it may be there twice), "raise" a DeliveryUncertain, or
            "skip" it (it may be lost).
        asks: what a handler does while it waits for an answer: "hold" a thread, and be put aside where too many do so already; or "unwind", put aside
            at each question and run again with the answer, which shows in tests whether a handler may be.
        replies: when what handlers send, edit, delete, answer or set goes out: "at once", or "with the end" of the handler, all or nothing: it is put into
            the outbox in the transaction that ends the update, and such a call returns a `Queued`.
        ahead: what is opened ahead while the runtime runs. "auto": while somebody talks (an update or a call within the last five minutes) a connection
            stands ready, and under load up to as many as there are workers; at other times none, and a bot that has a number of its own keeps that.
            `syncbot.types.AheadAuto(seconds=…)` changes the five minutes; a number is as in `Bot(ahead=…)`; 0 opens none; None leaves it to the bot.
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
        bot: Any = None,
        *,
        state: str | os.PathLike[str] | DatabaseUrl | None = AUTO,
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
        durable: bool = True,
        interrupted: Interrupted = "again",
        asks: Asks = "hold",
        replies: Replies = "at once",
        ahead: AheadMode | None = "auto",
        types: bool = True,
        store_options: StoreOptions | None = None,
        **unknown: Any,
    ) -> None:
        names, given = list(unknown), type(bot).__name__
        unknown.clear()
        if not hasattr(bot, "settings") or names:
            del bot  # it may be a token
            raise wrong_option(given, names, Runtime.__init__)
        check_numbers(
            ("workers", workers, 1, _MOST_WORKERS, True, "4"),
            ("poll_wait", poll_wait, 1, LONGEST_WAIT_SECONDS, True, "50"),
            ("most_waiting", most_waiting, 1, float("inf"), True, "1000"),
            ("handler_warn_after", handler_warn_after, 0, MOST_SECONDS, False, "60.0"),
            ("grace", grace, 0, MOST_SECONDS, False, "10.0"),
        )
        if uncertain not in ("hold", "again", "drop"):
            raise ConfigError(f'uncertain: {uncertain!r} is none of "hold", "again" and "drop"; for example uncertain="hold"')
        if wrong := wrong_interrupted(interrupted) or wrong_asks(asks) or wrong_replies(replies, durable=durable and state is not None):
            raise ConfigError(wrong)
        if heartbeat_file is not None and (wrong := what_else(heartbeat_file)):
            raise ConfigError(f"heartbeat_file: {os.fspath(heartbeat_file)}: {wrong}; name a file, for example heartbeat_file='/run/mybot/alive'")
        if not types:
            from syncbot.client.plain_bot import PlainBot  # deferred: most bots have telegram's types

            bot = PlainBot.of(bot)
        path = None if state is None else state_path(bot, state)
        options = SessionOptions(
            state=path,
            lock=lock_path(path, bot.id, state_dir()),
            workers=workers,
            allowed_users=listened_to(bot, allowed_users),
            allowed_updates=asked_kinds(allowed_updates),
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
            durable=durable,
            interrupted=interrupted,
            asks=asks,
            replies=replies,
            ahead=opened_ahead(bot, ahead, workers),
        )
        super().__init__()
        self.bot = bot
        self.job_functions = JobFunctions()
        self._lifecycle = Lifecycle(bot, self.routes, self.job_functions, options)

    @cached_property
    def webhook(self) -> WebhookFace:
        """What brings updates to it beside polling."""
        from syncbot.runtime.webhook_face import WebhookFace  # deferred: most bots poll

        return WebhookFace(self._lifecycle)

    @cached_property
    def jobs(self) -> Jobs:
        """What puts, lists and cancels jobs, whether the runtime runs or not."""
        from syncbot.runtime.jobs.jobs import Jobs  # deferred: most bots put none

        return Jobs(self.state, self.bot.id, self.job_functions, self.bot.recorders, self._lifecycle.open_jobs)

    @cached_property
    def outbox(self) -> RuntimeOutbox:
        """Queues calls in the state file (any method: `app.outbox.send_message(…)`); the runtime delivers them, in order per chat."""
        from syncbot.runtime.outbox.outbox import RuntimeOutbox  # deferred: most bots queue none

        return RuntimeOutbox(self.state, self.bot, self._lifecycle.open_queue)

    @property
    def router(self) -> Router[D]:
        """The runtime itself, as the router that it is."""
        return self

    @property
    def state(self) -> StatePlace | None:
        """The state file, or the database; None in memory."""
        return self._lifecycle.options.state

    def run(self) -> None:
        """Run until SIGINT or SIGTERM, or until `stop` is called; a second signal ends running handlers' time at once.

        Signals are only touched when called in the main thread, and put back as they were.

        Raises:
            Unauthorized: Telegram does not know the token.
            AlreadyRunning, StorageError, ConfigError: it could not start, or not go on.
        """
        with self._lifecycle.signals():
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
        self._lifecycle.start(poll=poll)

    def stop(self, grace: float | None = None) -> None:
        """Stop: the waiting poll ends at once, running handlers have their time, and then everything is closed.

        May be called from any thread, at any time, and more than once; called from a handler, it returns before the end.

        Args:
            grace: seconds to wait for running handlers; None takes the runtime's.
        """
        self._lifecycle.stop(grace)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the runtime has ended; False when `timeout` seconds pass first.

        Raises:
            Unauthorized, StorageError: what made it end, if it was not asked to.
        """
        return self._lifecycle.join(timeout)

    def run_once(self, max_seconds: float = 60.0) -> Summary:
        """Fetch what waits at Telegram, handle it, confirm it, and return: for cron.

        Args:
            max_seconds: when to stop even if more waits; what is left stays in the state file (or, without one, at Telegram).

        Raises:
            AlreadyRunning: another process is at it.
            Unauthorized: Telegram does not know the token.
            StorageError: the state file cannot be used.
        """
        return self._lifecycle.run_once(max_seconds)

    def kinds_asked_for(self) -> tuple[str, ...]:
        """The kinds of updates that Telegram is asked for."""
        return self._lifecycle.kinds_asked_for()

    def health(self) -> dict[str, Any]:
        """How the bot is, as plain values: `ok`, `running`, `last_poll` (time of the last answer), `lag` (age of the oldest waiting update in seconds),
        `queue`, `in_flight`, `questions` (that are open), `hung`, counts of polls, updates and failures, of steps `replayed`, calls `interrupted` and runs
        `diverged` (docs/durable.md), `dead_letters`, `bytes_a_day` (reckoned from whole polls), `polling`, `members`, `open_transaction` (docs/scale.md).
        `received` counts what was stored since the start, by any process; what is put back from the dead letters again, and so do runs of jobs.

        `ok` is False while a thread is dead, while every worker hangs, while the state file cannot be used, and from two seconds on in which no poll
        waits at Telegram; a pause that Telegram has asked for, and one in which too many updates wait here, are no trouble.
        Where nothing runs in this process it is just `{"ok": False, "running": False, "standby": …}`, and `standby` says whether it waits for its turn.
        """
        return session.health() if (session := self._lifecycle.session) is not None else {"ok": False, "running": False, "standby": False}

    @property
    def store(self) -> Store:
        """What the bot remembers, its dead letters among it, while it runs.

        Raises:
            RuntimeError: it does not run (`syncbot.storage.open_store` opens a state file then).
        """
        if (session := self._lifecycle.session) is None:
            raise RuntimeError("the runtime does not run")
        return session.components.store

    def users(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Go through all users of whom something is remembered: the id and a copy of the `user_data` of each, by ascending ids.

        Raises:
            StorageError: the state file cannot be used.
            RuntimeError: it does not run, and there is no state file.
        """
        if (components := self._lifecycle.components) is not None:
            yield from all_owners(components.store.data, Scope.USER)
        elif self.state is None:
            raise RuntimeError("without a state file users are remembered only while the runtime runs")
        else:
            with open_store(self.state, self.bot.id, options=StoreOptions(check=False)) as store:
                yield from all_owners(store.data, Scope.USER)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    # ── what runs at times ───────────────────────────────────────────────────────────────────────────────────────────

    def job(self, name: str, **options: Unpack[HandlerOptions]) -> JobDecorator:
        """Name a function, for the jobs that are put by `app.jobs`; see `JobFunctions.job`."""
        return self.job_functions.job(name, **options)

    def every(self, seconds: float, *, name: str = "", missed: MissedWord = "once", **options: Unpack[HandlerOptions]) -> JobDecorator:
        """Run a job again and again; see `JobFunctions.every`."""
        return self.job_functions.every(seconds, name=name, missed=missed, **options)

    def daily(
        self, time: str, tz: str | tzinfo | None = None, *, name: str = "", missed: MissedWord = "once", **options: Unpack[HandlerOptions]
    ) -> JobDecorator:
        """Run a job once a day, at "09:00"; see `JobFunctions.daily`."""
        return self.job_functions.daily(time, tz, name=name, missed=missed, **options)

    def cron(
        self, times: str, tz: str | tzinfo | None = None, *, name: str = "", missed: MissedWord = "once", **options: Unpack[HandlerOptions]
    ) -> JobDecorator:
        """Run a job at the times of a crontab, "*/5 * * * *"; see `JobFunctions.cron`."""
        return self.job_functions.cron(times, tz, name=name, missed=missed, **options)

    def later(self, seconds: float, *, name: str = "", **options: Unpack[HandlerOptions]) -> JobDecorator:
        """Run a job once, in `seconds`; see `JobFunctions.later`."""
        return self.job_functions.later(seconds, name=name, **options)

    # ── what is brought ──────────────────────────────────────────────────────────────────────────────────────────────

    def process(self, update: Mapping[str, Any] | str | bytes) -> None:
        """Store an update that somebody brings, to be handled in its turn; see `WebhookFace.process`."""
        self.webhook.process(update)

    def handle(self, update: Mapping[str, Any] | str | bytes, *, max_seconds: float = 25.0) -> Summary:
        """Take an update and handle it now, in the calling thread; see `WebhookFace.handle`."""
        return self.webhook.handle(update, max_seconds=max_seconds)

    def ensure_started(self) -> None:
        """Start to handle what a webhook brings, unless this process has been started already, or stopped."""
        self.webhook.ensure_started()

    def wsgi(self, path: str | None = "/", secret_token: str | Secret[str] | None = None, *, start: bool = True, inline: bool = False) -> WebhookApp:
        """Make a WSGI application that takes what Telegram posts to a webhook; see `WebhookFace.wsgi`."""
        hidden = None if secret_token is None else Secret(secret_token)
        del secret_token
        return self.webhook.wsgi(path, hidden, start=start, inline=inline)

    def run_webhook(
        self,
        url: str,
        *,
        listen: str = "127.0.0.1",
        port: int = 8080,
        path: str | None = None,
        secret_token: str | Secret[str] | None = None,
        max_connections: int = 40,
        threads: int = 8,
        ip_address: str | None = None,
        drop_pending_updates: bool = False,
        remove_on_stop: bool = False,
        certificate: str | os.PathLike[str] | None = None,
    ) -> None:
        """Set a webhook, serve it, and handle what it brings, until SIGINT or SIGTERM, or until `stop` is called; see `WebhookFace.run`."""
        hidden = None if secret_token is None else Secret(secret_token)
        del secret_token
        self.webhook.run(
            url,
            listen=listen,
            port=port,
            path=path,
            secret_token=hidden,
            max_connections=max_connections,
            threads=threads,
            ip_address=ip_address,
            drop_pending_updates=drop_pending_updates,
            remove_on_stop=remove_on_stop,
            certificate=certificate,
        )
