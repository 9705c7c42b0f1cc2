"""The long poll: fetches updates, stores them, and confirms only what is stored. It survives everything but a wrong token."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from syncbot.errors import ApiError, Conflict, NetworkError, Phase, RetryAfter, StorageError, SyncBotError, Unauthorized
from syncbot.runtime.idle import IdleLimit
from syncbot.runtime.raw import order_key
from syncbot.storage.base import Inbox, Incoming

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_LONGEST_CONFLICT_PAUSE_SECONDS = 60.0
_STORAGE_PAUSE_SECONDS = 2.0
_BATCH = 100
_WARN_FROM = 3
"""Failures in a row from which they are worth a warning: on a bad way one or two pass all the time."""


class Fetch(Protocol):
    """One attempt of getUpdates: `Bot.fetch_updates`."""

    def __call__(self, *, offset: int | None, limit: int, wait: int, allowed_updates: Sequence[str] | None, stop: threading.Event) -> list[dict[str, Any]]: ...


@dataclass
class PollFacts:
    """What the poller has seen; read by `Runtime.health()`. Times are `time.time()`."""

    started: float = 0.0
    last_answer: float | None = None
    last_error: str = ""
    polls: int = 0
    received: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    conflicts: int = 0
    cut: int = 0
    stalled: int = 0
    under_way_since: float | None = field(default=None)


class Backlog(Protocol):
    """What holds the poller back: see `Confirmations` and `Runtime`."""

    def wait_for_room(self) -> None:
        """Return when more updates may be fetched, or at a stop."""
        ...

    def stored(self, update_ids: Sequence[int]) -> None:
        """A batch was stored."""
        ...

    def offset(self, following: int | None) -> int | None:
        """The offset to ask for, given the one that follows the last batch: what may be confirmed by now."""
        ...


class Poller:
    """Fetches updates into the inbox until it is stopped.

    Args:
        fetch: one attempt of getUpdates.
        inbox: where updates go before they are confirmed.
        stop: ends it.
        backlog: holds it back when too many updates wait, and knows what may be confirmed.
        idle: the seconds that each poll waits.
        allowed_updates: the kinds of updates to ask for; None leaves Telegram's setting as it is.
        notify: told how many new updates were stored.
        remove_webhook: called when a webhook is found set; None only says so.
    """

    def __init__(
        self,
        fetch: Fetch,
        inbox: Inbox,
        stop: threading.Event,
        backlog: Backlog,
        *,
        idle: IdleLimit,
        allowed_updates: Sequence[str] | None = None,
        notify: Callable[[int], None] = lambda _: None,
        remove_webhook: Callable[[], None] | None = None,
    ) -> None:
        self.facts = PollFacts(started=time.time())
        self._fetch = fetch
        self._inbox = inbox
        self._stop = stop
        self._backlog = backlog
        self._idle = idle
        self._allowed_updates = list(allowed_updates) if allowed_updates is not None else None
        self._notify = notify
        self._remove_webhook = remove_webhook
        self._following = inbox.next_offset()
        self._limit = _BATCH
        self._trouble = ""

    def run(self) -> None:
        """Poll until the stop event is set.

        Raises:
            Unauthorized: Telegram does not know the token.
            StorageError: the state file cannot be used any more.
        """
        while not self._stop.is_set():
            try:
                self._backlog.wait_for_room()
                if not self._stop.is_set():
                    self._pause(self.step())
            except SyncBotError:
                raise
            except Exception:  # an error of our own must not end the polling either
                _log.exception("polling goes on after an error")
                self._pause(_LONGEST_PAUSE_SECONDS)

    def step(self, wait: int | None = None) -> float:
        """One poll; returns how many seconds to pause before the next one.

        Args:
            wait: seconds that Telegram waits for an update; None takes what was learned.
        """
        asked = self._idle.next_wait() if wait is None else wait
        began = time.monotonic()
        self.facts.polls += 1
        self.facts.under_way_since = time.time()
        try:
            updates = self._fetch(
                offset=self._backlog.offset(self._following), limit=self._limit, wait=asked, allowed_updates=self._allowed_updates, stop=self._stop
            )
            self._idle.passed(time.monotonic() - began)
            self._store(updates)
        except Unauthorized:
            raise
        except StorageError as error:
            if not error.retryable:
                raise
            return self._failed(f"updates cannot be stored, and are not confirmed: {error}", _STORAGE_PAUSE_SECONDS)
        except (NetworkError, ApiError) as error:
            return 0.0 if self._stop.is_set() else self._after(error, asked)
        finally:
            self.facts.under_way_since = None
        self._worked(len(updates))
        return 0.0

    def _store(self, updates: Sequence[dict[str, Any]]) -> None:
        batch = [Incoming(update["update_id"], order_key(update), json.dumps(update, separators=(",", ":")).encode()) for update in updates if _has_id(update)]
        if not batch:
            return
        following = batch[-1].update_id + 1  # of the last one, not the highest: ids can begin anew at a lower number
        fresh = self._inbox.store(batch, next_offset=following)
        self._following = following
        self._backlog.stored([update.update_id for update in batch])
        self.facts.received += fresh
        if fresh:
            self._notify(fresh)

    def _worked(self, received: int) -> None:
        facts = self.facts
        facts.last_answer = time.time()
        if facts.failures_in_a_row >= _WARN_FROM:
            _log.warning("polling works again, after %d failures", facts.failures_in_a_row)
        self._trouble = ""
        facts.failures_in_a_row = 0
        if received >= self._limit and self._limit < _BATCH:
            self._limit = min(_BATCH, self._limit * 2)

    def _after(self, error: NetworkError | ApiError, asked: int) -> float:
        """What a failed poll teaches; returns the pause."""
        facts = self.facts
        longest = _LONGEST_PAUSE_SECONDS
        if isinstance(error, RetryAfter):
            return self._failed(str(error), error.retry_after)
        if isinstance(error, Conflict):
            facts.conflicts += 1
            if (pause := self._after_conflict(error)) is not None:
                return pause
            longest = _LONGEST_CONFLICT_PAUSE_SECONDS
        elif isinstance(error, NetworkError) and error.phase is Phase.MAYBE_SENT:
            if error.stage == "body":  # the answer had begun: a smaller one has a better chance
                self._limit = max(1, self._limit // 2)
            elif error.elapsed > asked:
                facts.stalled += 1
                self._idle.stalled()
            else:
                facts.cut += 1
                self._idle.cut(error.elapsed)
                if error.elapsed > 1.0 and facts.failures_in_a_row < 2:
                    return self._failed(_say(error), 0.0)  # it waited long enough; asking anew at once loses no time
        if isinstance(error, NetworkError) and error.failover:
            return self._failed(_say(error), 0.0)
        exponent = min(facts.failures_in_a_row, 10)
        return self._failed(_say(error), min(longest, _FIRST_PAUSE_SECONDS * 2**exponent) * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, not a secret

    def _after_conflict(self, error: Conflict) -> float | None:
        """Remove a webhook if that is wanted; returns the pause, or None for the usual one."""
        if "webhook" not in error.description.lower() or self._remove_webhook is None:
            return None
        try:
            self._remove_webhook()
        except SyncBotError as problem:
            _log.warning("the webhook could not be removed: %s", problem)
            return None
        _log.warning("a webhook was set, and has been removed")
        return 0.0

    def _failed(self, words: str, pause: float) -> float:
        """Count a failure; it is logged when it does not pass at once or when something new goes wrong, not at every try."""
        facts = self.facts
        facts.failures += 1
        facts.failures_in_a_row += 1
        facts.last_error = words
        level = logging.WARNING if facts.failures_in_a_row >= _WARN_FROM else logging.INFO
        if words != self._trouble or facts.failures_in_a_row == _WARN_FROM:
            self._trouble = words
            _log.log(level, "polling fails (%d in a row): %s", facts.failures_in_a_row, words)
        return pause

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._stop.wait(seconds)


def _has_id(update: dict[str, Any]) -> bool:
    if isinstance(update.get("update_id"), int):
        return True
    _log.error("an update without an id is left out: %.200r", update)
    return False


def _say(error: NetworkError | ApiError) -> str:
    """The words for a failed poll: the same for the same trouble, so that it is logged once."""
    if isinstance(error, Conflict):
        return _conflict_words(error)
    if isinstance(error, NetworkError):
        return f"{error} ({error.phase}, {error.stage}, by way of {error.proxy})"
    return str(error)


def _conflict_words(error: Conflict) -> str:
    if "webhook" in error.description.lower():
        return "a webhook is set, so Telegram refuses polling (409); remove it with Runtime(take_over=True) or `syncbot webhook delete`"
    return (
        "another getUpdates of this bot is running (409): a second instance with the same token on this or another machine, "
        "or an earlier poll of this one that a proxy still keeps open, which ends within a minute"
    )
