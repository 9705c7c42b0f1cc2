"""The long poll: fetches updates, stores them, and confirms only what is stored. It survives everything but a wrong token."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from syncbot.errors import ApiError, Conflict, NetworkError, Phase, RetryAfter, StorageError, SyncBotError, Unauthorized
from syncbot.runtime.handling.update_facts import album_of, order_key
from syncbot.runtime.receiving.backlog import DurableBacklog, MemoryBacklog
from syncbot.runtime.receiving.idle_limit import IdleLimit
from syncbot.storage.promises.inbox import Incoming
from syncbot.trouble import Backoff, LastSaid

if TYPE_CHECKING:
    from syncbot.storage.promises.queues import Inbox

_log = logging.getLogger(__name__)

_PAUSE = Backoff(0.5, 15.0)
_CONFLICT_PAUSE = Backoff(0.5, 60.0)
_STORAGE_PAUSE_SECONDS = 2.0
_LINGER_SECONDS = 60.0
"""For so long a poll can live on at Telegram after its connection was lost on the way."""
_BATCH = 100
_to_json = json.JSONEncoder(separators=(",", ":")).encode
"""What json.dumps makes anew at each call."""
_WARN_FROM = 3
"""Failures in a row from which they are worth a warning: on a bad way one or two pass all the time."""
_REACHES_WITHIN_SECONDS = 1.0
_QUIET_SECONDS = 2.0
_USELESS_FROM = 3
"""Answers in a row that bring nothing and come at once, from which they are taken for those of something that is not Telegram."""


class Fetch(Protocol):
    """One attempt of getUpdates: `Bot.fetch_updates`."""

    def __call__(self, *, offset: int | None, limit: int, wait: int, allowed_updates: Sequence[str] | None, stop: threading.Event) -> list[dict[str, Any]]: ...


@dataclass
class PollFacts:
    """What the poller has seen; read by `Runtime.health()`. `last_answer` is `time.time()`, the other times are `time.monotonic()`."""

    last_answer: float | None = None
    last_error: str = ""
    polls: int = 0
    received: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    conflicts: int = 0
    cut: int = 0
    stalled: int = 0
    last_batch: int = 0
    storage_trouble: bool = False
    held_since: float | None = None
    """From when on it is held back, since too much waits here; that time does not count."""
    under_way_since: float | None = None
    polled_at: float = 0.0
    """When what a poll brought was last stored, or one ended that had been under way for long enough to have reached Telegram."""
    expected_since: float = 0.0
    """From when on an answer is to be expected: the last one, the start, or the end of a pause that Telegram asked for."""

    def is_well(self, now: float, longest_seconds: float) -> bool:
        """Whether one was answered within `longest_seconds`, and a poll waits at Telegram, or did just now, or is not to: it has asked for a pause."""
        held, since = self.held_since, self.under_way_since  # looked at first, since they are the last to change
        at = now if held is None else held
        waits = since is not None and now - since > _REACHES_WITHIN_SECONDS
        polls = waits or at < self.expected_since or at - self.polled_at < _QUIET_SECONDS
        return polls and at - self.expected_since < longest_seconds


class Poller:
    """Fetches updates into the inbox until it is stopped.

    Args:
        fetch: one attempt of getUpdates.
        inbox: where updates go before they are confirmed.
        stop: ends it.
        backlog: holds it back when too many updates wait, and knows what may be confirmed.
        idle: the seconds that each poll waits.
        allowed_updates: the kinds of updates to ask for; None leaves Telegram's setting as it is.
        drop_pending: begin with dropping what waits at Telegram.
        notify: told how many new updates were stored.
        remove_webhook: called when a webhook is found set; None only says so.
        album_kinds: tells the kinds of updates of which albums are collected.
        clock: `time.monotonic`.
    """

    def __init__(
        self,
        fetch: Fetch,
        inbox: Inbox,
        stop: threading.Event,
        backlog: DurableBacklog | MemoryBacklog,
        *,
        idle: IdleLimit,
        allowed_updates: Sequence[str] | None = None,
        drop_pending: bool = False,
        notify: Callable[[int], None] = lambda _: None,
        remove_webhook: Callable[[], None] | None = None,
        album_kinds: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        now = clock()
        self.facts = PollFacts(expected_since=now, polled_at=now)
        self._clock = clock
        self._fetch = fetch
        self._inbox = inbox
        self._stop = stop
        self._backlog = backlog
        self._idle = idle
        self._allowed_updates = list(allowed_updates) if allowed_updates is not None else None
        self._drop_pending = drop_pending
        self._notify = notify
        self._remove_webhook = remove_webhook
        self._album_kinds = album_kinds
        self._may_poll: Callable[[], bool] = lambda: True
        self._following = inbox.next_offset()
        self._told = self._following
        self._limit = _BATCH
        self.up_to_date_row: int | None = None
        """The newest row when a poll had brought all there was since the start: what came while nothing ran ends there; None before."""
        self._useless = 0
        self._trouble = LastSaid()
        self._lingers_until = now + _LINGER_SECONDS  # an earlier run's last poll

    def begin_anew(self) -> None:
        """Others may have polled since: go on where they were, if that can be told now; else where it was itself, which is no harm."""
        with suppress(StorageError):
            self._following = self._told = self._inbox.next_offset()
        self.facts.expected_since = self.facts.polled_at = self._clock()

    def run(self, may_poll: Callable[[], bool] = lambda: True) -> None:
        """Poll until the stop event is set, or it may not any more.

        Raises:
            Unauthorized: Telegram does not know the token.
            StorageError: the state file cannot be used any more.
        """
        self._may_poll = may_poll
        while not self._stop.is_set() and may_poll():
            pause_seconds = self._safely(self._poll_when_there_is_room)
            if pause_seconds > 0:
                self._stop.wait(pause_seconds)

    def step(self, wait: int | None = None) -> float:
        """One poll; returns how many seconds to pause before the next one.

        Args:
            wait: seconds that Telegram waits for an update; None takes what was learned.

        Raises:
            As `run`.
        """
        return self._safely(lambda: self._poll(wait))

    @property
    def unconfirmed(self) -> int | None:
        """The offset that is still to be told to Telegram; None where it knows it already."""
        offset = self._backlog.offset(self._following)
        return offset if offset != self._told else None

    def _safely(self, work: Callable[[], float]) -> float:
        try:
            return work()
        except Unauthorized:
            raise
        except StorageError as error:
            if not error.retryable:
                raise
            self.facts.storage_trouble = True
            return self._failed("storage", f"updates cannot be stored, and are not confirmed: {error}", _STORAGE_PAUSE_SECONDS, loud=True)
        except Exception as error:  # an error of our own must not end the polling either
            if type(error).__name__ != self._trouble.value:
                _log.exception("polling goes on after an error")
            return self._failed(type(error).__name__, f"{type(error).__name__}: {error}", self._back_off())

    def _poll_when_there_is_room(self) -> float:
        facts = self.facts
        facts.held_since = began = self._clock()
        try:
            self._backlog.wait_for_room()
        finally:
            held_seconds = self._clock() - began
            facts.polled_at += held_seconds
            facts.expected_since += held_seconds
            facts.held_since = None  # last: from here on an answer is expected, and not since before the waiting
        return self._poll(None) if not self._stop.is_set() and self._may_poll() else 0.0

    def _poll(self, wait: int | None) -> float:
        facts, dropping = self.facts, self._drop_pending
        # What came while nothing ran is asked for first: one that waits, or is long on its way, does not tell that there is nothing.
        asked = wait if wait is not None else 0 if dropping or self.up_to_date_row is None else self._idle.next_wait()
        offset = -1 if dropping else self._backlog.offset(self._following)
        facts.polls += 1
        facts.last_batch = 0
        facts.under_way_since = began = self._clock()
        try:
            updates = self._fetch(offset=offset, limit=self._limit, wait=asked, allowed_updates=self._allowed_updates, stop=self._stop)
        except (NetworkError, ApiError) as error:
            if isinstance(error, Unauthorized):
                raise
            return 0.0 if self._stop.is_set() else self._after(error, asked)
        finally:
            if (ended := self._clock()) - began > _REACHES_WITHIN_SECONDS:
                facts.polled_at = ended
            facts.under_way_since = None
        if self._stop.is_set():
            return 0.0  # they are not confirmed, and come again
        waited_seconds = self._clock() - began
        self._told = offset
        if dropping:
            self._drop(updates)
            return self._worked(1)
        self._idle.passed(waited_seconds)
        fresh = self._store(updates)
        at_once = not updates and waited_seconds < 0.5 * asked
        self._useless = self._useless + 1 if at_once or (updates and not fresh) else 0
        if at_once and self._useless >= _USELESS_FROM:
            return self._failed("useless", "the answers to polls come empty and at once, as if it were not Telegram that gives them", self._back_off())
        if self.up_to_date_row is None and len(updates) < self._limit:
            self.up_to_date_row = self._inbox.counts().newest
        self._worked(len(updates))
        return 1.0 if self._useless >= _USELESS_FROM else 0.0

    def _store(self, updates: Sequence[dict[str, Any]]) -> int:
        """Store a batch; returns how many were new."""
        kinds = self._album_kinds()
        batch = [Incoming(update["update_id"], order_key(update), _to_json(update).encode(), album_of(update, kinds)) for update in updates if _has_id(update)]
        if not batch:
            return 0
        following = batch[-1].update_id + 1  # of the last one, not the highest: ids can begin anew at a lower number
        fresh = self._inbox.store(batch, next_offset=following)
        self._following = following
        self._backlog.stored([update.update_id for update in batch])
        self.facts.received += fresh
        if fresh:
            self._notify(fresh)
        return fresh

    def _drop(self, newest: Sequence[dict[str, Any]]) -> None:
        """The newest update is all that is left at Telegram; its confirmation by the next poll drops it too."""
        if newest and _has_id(newest[-1]):
            following = newest[-1]["update_id"] + 1
            self._inbox.store((), next_offset=following)
            self._following = following
        self._drop_pending = False

    def _worked(self, received: int) -> float:
        facts = self.facts
        facts.last_answer = time.time()
        facts.expected_since = facts.polled_at = self._clock()
        facts.last_batch = received
        facts.storage_trouble = False
        if facts.failures_in_a_row >= _WARN_FROM or self._trouble.value == "storage":
            _log.warning("polling works again, after %d failures", facts.failures_in_a_row)
        self._trouble.is_new("")
        facts.failures_in_a_row = 0
        if received >= self._limit and self._limit < _BATCH:
            self._limit = min(_BATCH, self._limit * 2)
        return 0.0

    def _after(self, error: NetworkError | ApiError, asked: int) -> float:
        """What a failed poll teaches; returns the pause."""
        if isinstance(error, RetryAfter):
            # Whoever asks to wait for no time at all, again and again, is not to have what he asks for.
            pause_seconds = max(_PAUSE.first, error.retry_after)
            self.facts.expected_since = self._clock() + pause_seconds
            return self._failed("RetryAfter", str(error), pause_seconds)
        if isinstance(error, Conflict):
            return self._after_conflict(error)
        if not isinstance(error, NetworkError):
            return self._failed(type(error).__name__, str(error), self._back_off())
        words = f"{error} ({error.phase}, {error.stage}, by way of {error.proxy})"
        at_once = error.failover
        if error.phase is Phase.MAYBE_SENT:
            self._lingers_until = self._clock() + _LINGER_SECONDS
            at_once |= self._after_lost_answer(error, asked)
        return self._failed("network", words, 0.0 if at_once else self._back_off())

    def _after_lost_answer(self, error: NetworkError, asked: int) -> bool:
        """Learn from a poll whose answer was lost; True when it waited so long that asking anew at once is no hurry."""
        facts = self.facts
        if error.stage == "body":  # the answer had begun: a smaller one has a better chance
            self._limit = max(1, self._limit // 2)
            return False
        if error.elapsed > asked:
            facts.stalled += 1
            if asked:  # one that does not wait says nothing about how long one may
                self._idle.stalled()
            return False
        facts.cut += 1
        self._idle.cut(error.elapsed)
        return error.elapsed > 1.0 and facts.failures_in_a_row < 2

    def _after_conflict(self, error: Conflict) -> float:
        """Telegram refuses to be polled: say which cause is likely, and remove a webhook if that is wanted."""
        self.facts.conflicts += 1
        if "webhook" in error.description.lower():
            if self._remove_webhook is None:
                words = "a webhook is set, so Telegram refuses polling (409); remove it with Runtime(take_over=True) or `syncbot webhook delete`"
                return self._failed("webhook", words, self._back_off(_CONFLICT_PAUSE), loud=True)
            try:
                self._remove_webhook()
            except SyncBotError as problem:
                return self._failed("webhook", f"a webhook is set (409), and could not be removed: {problem}", self._back_off(), loud=True)
            _log.warning("a webhook was set, and has been removed")
            return 0.0
        if self._clock() < self._lingers_until:
            words = (
                "another getUpdates of this bot is running (409): probably an earlier poll of its own that a proxy still keeps open, which ends within "
                "a minute; if this goes on, a second instance with the same token"
            )
        else:
            words = "another getUpdates of this bot is running (409): a second instance with the same token, here or on another machine; stop one of them"
        return self._failed(words, words, self._back_off(_CONFLICT_PAUSE), loud=True)

    def _back_off(self, pause: Backoff = _PAUSE) -> float:
        return pause.seconds(self.facts.failures_in_a_row)

    def _failed(self, trouble: str, words: str, pause: float, *, loud: bool = False) -> float:
        """Count a failure; it is logged when the kind of trouble is a new one, and when it does not pass soon; not at every try.

        Args:
            trouble: the kind of trouble.
            words: what to say.
            pause: seconds until the next try, returned as it is.
            loud: it needs somebody to act, and is a warning from the first time on.
        """
        facts = self.facts
        facts.failures += 1
        facts.failures_in_a_row += 1
        facts.last_error = words
        if self._trouble.is_new(trouble) or (facts.failures_in_a_row == _WARN_FROM and not loud):
            level = logging.WARNING if loud or facts.failures_in_a_row >= _WARN_FROM else logging.INFO
            _log.log(level, "polling fails (%d in a row): %s", facts.failures_in_a_row, words)
        return pause


def _has_id(update: dict[str, Any]) -> bool:
    number = update.get("update_id")
    if type(number) is int and 0 <= number < 2**62:
        return True
    _log.error("an update without an id is left out: %.200r", update)
    return False
