"""The outbox: calls that are written into the state file at once, and delivered when there is a way to Telegram."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from syncbot.bounds import MOST_SECONDS, SHORTEST_SECONDS, check_numbers, wrong_number
from syncbot.client.api.queued import QueuedMethods
from syncbot.client.api.table import MethodSpec
from syncbot.client.bot import Bot
from syncbot.client.encode import body, encode
from syncbot.config import trial_settings
from syncbot.errors import ConfigError, StorageError
from syncbot.runtime.durable.asking import delivering, question_of
from syncbot.runtime.durable.run import DurableRun
from syncbot.runtime.durable.seam import run_with_step
from syncbot.runtime.outbox.attempt import Uncertain
from syncbot.runtime.outbox.deliverer import Deliverer
from syncbot.runtime.outbox.queue_files import QueueFiles, files_of
from syncbot.runtime.outbox.written import ordering_key, write_down
from syncbot.runtime.state_file import state_path
from syncbot.storage import Journal, OutboxCall, OutboxItem, OutboxQueue, OutboxState, Store, open_store
from syncbot.storage.address import DatabaseUrl, StatePlace

if TYPE_CHECKING:
    from typing import Self


_LATEST = 1e11
"""Seconds since 1970; some three thousand years."""


@dataclass(frozen=True)
class OpenQueue:
    """A queue that is open, with what belongs to it."""

    queue: OutboxQueue
    folder: QueueFiles
    journal: Journal
    """Of the same store."""
    notify: Callable[[], None] = lambda: None
    """Say that something was queued."""
    store: Store | None = None
    """The store, where it is open for this outbox alone."""
    on_delivered: Callable[[Any], bool] = lambda _: True
    """As `Questions.delivered`, of the runtime whose queue it is."""

    def lives(self, result: Any) -> bool:
        """Whether the question that went out with this is open, whoever has asked it; True of what is none."""
        if self.store is None or question_of(result) is None:
            return self.on_delivered(result)
        from syncbot.runtime.work.questions import Questions  # deferred: most of what goes out asks nothing

        return Questions.of(self.store, lambda: None).delivered(result)  # looked up each time: others open and close them meanwhile

    def tell(self) -> None:
        """Say so, where there is somebody to hear it: what is queued is safe, whether or not the state file has been closed since."""
        with suppress(StorageError):
            self.notify()


@dataclass(frozen=True)
class Flushed:
    """What `Outbox.flush` did.

    Args:
        delivered: calls that were carried out.
        failed: calls that were refused.
        uncertain: calls of which nobody knows.
        left: calls that could not be delivered yet; those that are queued for later are not among them.
        error: what was the matter last; empty when nothing was.
    """

    delivered: int
    failed: int
    uncertain: int
    left: int
    error: str = ""


class Outbox(QueuedMethods):
    """A durable queue of calls in a bot's state file.

    ```python
    with Outbox("bot.db", Bot.from_env()) as outbox:
        outbox.send_message(chat_id=42, text="The backup is done")   # returns when it is on the disk
        outbox.flush()                                               # or let the runtime, or `syncbot outbox flush`, deliver it
    ```

    Every method of the Bot API that changes something is here in snake_case, with the parameters of `Bot`, and returns the call's number in the
    queue. Its parameters are checked and written down when it is queued (`until_date=timedelta(hours=1)` counts from then), files are copied
    into a folder beside the state file and removed after the delivery. Calls that concern one chat are made in the order in which they were
    queued; `ttl` and `not_before` say until when and from when on. With the state in PostgreSQL, `connection=` queues within the transaction of the
    application's own connection to the same database.

    Without `with` (or `open`) it opens the state file for each call and leaves nothing open.

    Args:
        path: the state file, on a local disk, or the URL of its database; `syncbot.runtime.state_file.AUTO` takes the usual one.
        bot: the bot whose calls they are.
    """

    def __init__(self, path: str | os.PathLike[str] | DatabaseUrl, bot: Bot) -> None:
        self._path: StatePlace | None = state_path(bot, path)
        self._bot = bot
        self._store: Store | None = None

    def open(self) -> Self:
        """Keep the state file open until `close`; worth while for more than a few calls.

        Raises:
            StorageError: it cannot be used.
        """
        if self._store is None:
            self._store = open_store(self._path, self._bot.id)
        return self

    def close(self) -> None:
        """Let go of the state file."""
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r}, bot {self._bot.id})"

    def entries(self, *states: OutboxState, limit: int = 100, after: int = 0) -> list[OutboxItem]:
        """The queued calls, the oldest first, in these states (none: in all); `after` a number, to page on."""
        with self._opened() as opened:
            return opened.queue.entries(*states, limit=limit, after=after)

    def counts(self) -> dict[OutboxState, int]:
        """How many calls there are in each state."""
        with self._opened() as opened:
            return opened.queue.counts()

    def retry(self, id: int) -> bool:
        """Queue an uncertain or failed call again, without a time to live; False if it is neither."""
        with self._opened() as opened:
            found = opened.queue.retry(id)
            if found:
                opened.tell()
            return found

    def drop(self, id: int) -> bool:
        """Delete a call and its files, unless it is being delivered; False if there is nothing to delete."""
        with self._opened() as opened:
            dropped = opened.queue.drop(id)
            if dropped is not None:
                opened.folder.remove(dropped.call.files)
                opened.tell()  # what waited behind it may have become due
            return dropped is not None

    def flush(self, seconds: float = 60.0, *, uncertain: Uncertain = "hold", patience: float | None = None) -> Flushed:
        """Deliver what is due, here and now; a runtime or another process that does the same meanwhile does no harm.

        Args:
            seconds: how long at most; calls under way are waited for beyond that.
            uncertain: what follows when nobody knows whether a call was carried out.
            patience: leave what can only be done in more than so many seconds from now; None waits for all that comes within `seconds`.

        Raises:
            ConfigError: a number is wrong.
            Unauthorized: Telegram does not know the token; the calls stay queued.
            StorageError: the state file cannot be used.
        """
        check_numbers(("seconds", seconds, 0, MOST_SECONDS, False, "60.0"), ("patience", patience or 0, 0, float("inf"), False, "2.0"))
        with self._opened() as opened:
            stop = threading.Event()
            deliverer = Deliverer(
                opened.queue, self._bot, opened.folder, uncertain=uncertain, stop=stop, on_delivered=partial(delivering, self._bot, opened.lives)
            )
            with self._bot.in_a_row(), _within_limits(self._bot, opened.store):
                try:
                    deliverer.work_off(seconds, patience=patience)
                finally:
                    deliverer.join(self._bot.timeout + 3600.0)  # each call has its own bound, which a large file makes long
            facts = deliverer.facts
            left = _left(opened.queue)
            return Flushed(facts.delivered, facts.failed, facts.uncertain, left, facts.last_error if left or facts.failed or facts.uncertain else "")

    @contextmanager
    def _opened(self) -> Iterator[OpenQueue]:
        if self._store is not None:
            yield OpenQueue(self._store.outbox, files_of(self._store, self._path), self._store.journal, store=self._store)
            return
        with open_store(self._path, self._bot.id) as store:
            yield OpenQueue(store.outbox, files_of(store, self._path), store.journal, store=store)

    def _queue_call(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> int:
        return self._put(spec, method, parameters, options, None)

    def _put(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any], run: DurableRun | None) -> int:
        encoded = encode(spec, parameters, local=self._bot.local)
        body(encoded)  # finds out now what cannot be written
        not_before, expires = _times(options.get("not_before"), options.get("ttl"))
        connection = options.get("connection")
        if connection is not None and trial_settings() is None:  # a trial has a state of its own
            if not isinstance(self._path, DatabaseUrl):
                raise ConfigError("connection= needs the state in the same PostgreSQL database, for example state='postgresql://bot@db/site'")
            from syncbot.storage.postgres.sending.callers import queue_within

            call = OutboxCall(method, write_down(encoded), ordering_key(encoded.fields), (), not_before, expires)
            return queue_within(connection, str(self._path), self._bot.id, call, [part.source.chunks() for part in encoded.files], time.time())
        with self._opened() as opened:
            files = opened.folder.copy(encoded.files)
            try:
                call = OutboxCall(method, write_down(encoded), ordering_key(encoded.fields), files, not_before, expires)
                [id] = opened.queue.put(call) if run is None else [run.keep(lambda: opened.queue.put(call)[0], opened.journal, durable=True)]
            except BaseException:
                opened.folder.remove(files)
                raise
            opened.tell()
        return id


class RuntimeOutbox(Outbox):
    """The outbox of a runtime: through its open state file while it runs, through the file itself otherwise.

    Args:
        path: the state file; None in memory.
        bot: the runtime's bot.
        live: gives the open queue while the runtime runs.
    """

    def __init__(self, path: StatePlace | None, bot: Bot, live: Callable[[], OpenQueue | None]) -> None:
        self._path = path
        self._bot = bot
        self._store = None
        self._live = live

    def _queue_call(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> int:
        """What a handler queues is a step: it is not queued again when the handler runs again."""
        run = run_with_step(self._bot.recorders)
        if options.get("connection") is not None:  # it goes with the application's transaction, which another run makes anew
            return self._put(spec, method, parameters, options, None)
        queue = partial(self._put, spec, method, parameters, options, run)
        return queue() if run is None else int(run.value("queue", method, queue, "the number of the call"))

    @contextmanager
    def _opened(self) -> Iterator[OpenQueue]:
        if (opened := self._live()) is not None:
            yield opened
        elif self._path is None:
            raise RuntimeError("without a state file the outbox is there only while the runtime runs; give Runtime(state=…) a file")
        else:
            with super()._opened() as opened:
                yield opened


@contextmanager
def _within_limits(bot: Bot, store: Store | None) -> Iterator[None]:
    """Keep the limits together with those machines that share the store; a runtime does so by itself."""
    if store is None or bot.limiter is None or bot.limiter.is_shared:  # a runtime of this bot is at work beside
        yield
        return
    bot.limiter.share(store.shared_turns)
    try:
        yield
    finally:
        bot.limiter.share(None)


def _times(not_before: float | datetime | timedelta | None, ttl: float | timedelta | None) -> tuple[float, float | None]:
    """The earliest time of an attempt (0.0 for at once) and the time after which there is none, in seconds since 1970."""
    now = time.time()
    if isinstance(not_before, timedelta):
        not_before = now + not_before.total_seconds()
    elif isinstance(not_before, datetime):
        not_before = (not_before if not_before.tzinfo else not_before.replace(tzinfo=UTC)).timestamp()
    at = 0.0 if not_before is None else not_before
    if problem := wrong_number(at, least=-_LATEST, most=_LATEST):
        raise ValueError(f"not_before: {problem}; give a time in seconds since 1970, a datetime, or a timedelta from now")
    if ttl is None:
        return at, None
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    if problem := wrong_number(seconds, least=SHORTEST_SECONDS, most=_LATEST):
        raise ValueError(f"ttl: {problem}; give seconds, or a timedelta")
    return at, max(now, at) + seconds


def _left(queue: OutboxQueue) -> int:
    """How many calls should have been delivered by now."""
    now = time.time()
    left = 0
    after = 0
    while items := queue.entries(OutboxState.QUEUED, OutboxState.CLAIMED, OutboxState.SENDING, limit=500, after=after):
        left += sum(bool(item.attempts or item.reason) or item.call.not_before <= now or item.state != OutboxState.QUEUED for item in items)
        after = items[-1].id
    return left
