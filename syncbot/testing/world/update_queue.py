"""The queue of updates, as Telegram keeps it: ids, confirmation by offset, one poll at a time, and the slowdowns."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from syncbot.testing.world.problems import ApiProblem
from syncbot.types import JSON

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds of updates that are sent only to those who name them in `allowed_updates`."""

_OTHER_POLL = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
_BY_WEBHOOK = "Conflict: terminated by setWebhook request"


class PollWaiter(Protocol):
    """Whoever waits for updates: a connection that can sleep, be woken, and notice that its client hung up."""

    def prepare_wait(self) -> None:
        """Make `wake` heard from now on, also before the first `pause`."""
        ...

    def pause(self, seconds: float) -> None:
        """Sleep until woken or until the time is up; raises `PeerGone` where the client has hung up or the server closes."""
        ...

    def wake(self) -> None:
        """End the present or the next `pause` at once, from any thread."""
        ...


@dataclass
class _Poll:
    waiter: PollWaiter
    limit: int
    deadline: float
    ended_by: str = ""


@dataclass
class PollSettings:
    """How getUpdates behaves.

    Args:
        slow_same_offset: hold a poll that asks for the same offset again, as Telegram does.
        same_offset_delay: for how many seconds.
        conflict_delay: seconds by which a 409 is delayed that follows another within that time.
    """

    slow_same_offset: bool = True
    same_offset_delay: float = 3.0
    conflict_delay: float = 3.0


@dataclass
class UpdateQueue:
    """Updates that wait for the bot. Every method may be called from any thread; changes are told to `changed`."""

    changed: threading.Condition
    settings: PollSettings
    next_id: int
    pending: deque[JSON] = field(default_factory=deque)
    allowed: frozenset[str] = frozenset()
    not_allowed: int = 0
    confirmed: int = 0
    confirmed_below: int = 0
    conflicts: int = 0
    _current: _Poll | None = None
    _last_offset: int | None = None
    _last_start: float = float("-inf")
    _next_conflict: float = float("-inf")

    def allow(self, kinds: Iterable[str]) -> None:
        """Remember what getUpdates or setWebhook asked for; none means the default."""
        with self.changed:
            self.allowed = frozenset(kinds)

    def allows(self, kind: str) -> bool:
        """Whether the bot gets updates of this kind."""
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT

    def push(self, kind: str, value: Any) -> int | None:
        """Queue an update and return its id; None where the bot did not ask for its kind, so that it is lost, as with Telegram."""
        with self.changed:
            if not self.allows(kind):
                self.not_allowed += 1
                return None
            update_id = self.next_id
            self.next_id += 1
            self.pending.append({"update_id": update_id, kind: value})
            if self._current is not None:
                self._current.waiter.wake()
            self.changed.notify_all()
            return update_id

    def drop(self) -> int:
        """Forget all that waits; returns how much it was."""
        with self.changed:
            count = len(self.pending)
            self.pending.clear()
            self.changed.notify_all()
            return count

    def take(self, update_id: int) -> None:
        """An update was delivered by webhook; it may have been dropped meanwhile."""
        with self.changed:
            at = next((n for n, update in enumerate(self.pending) if update["update_id"] == update_id), None)
            if at is None:
                return
            del self.pending[at]
            self.confirmed += 1
            self.confirmed_below = max(self.confirmed_below, update_id + 1)
            self.changed.notify_all()

    def get(self, offset: int, limit: int, timeout: float, waiter: PollWaiter) -> list[JSON]:
        """What getUpdates does, its waiting included.

        Raises:
            ApiProblem: (409) another poll came.
            PeerGone: the client hung up while it waited.
        """
        poll = self._begin(offset, limit, timeout, waiter)
        try:
            while True:
                with self.changed:
                    if poll.ended_by:
                        break
                    left = poll.deadline - time.monotonic()
                    if self.pending or left <= 0:
                        return [self.pending[n] for n in range(min(poll.limit, len(self.pending)))]
                waiter.pause(left)
        finally:
            with self.changed:
                if self._current is poll:
                    self._current = None
        self._refuse(poll.ended_by, waiter)
        return []

    def end_poll(self, reason: str = _BY_WEBHOOK) -> None:
        """End the waiting poll with 409."""
        with self.changed:
            if self._current is not None:
                self._current.ended_by = reason
                self._current.waiter.wake()
                self._current = None

    @property
    def is_polled(self) -> bool:
        """Whether a poll is waiting right now."""
        return self._current is not None

    def _begin(self, offset: int, limit: int, timeout: float, waiter: PollWaiter) -> _Poll:
        waiter.prepare_wait()
        limit = min(max(limit, 1), 100)
        timeout = min(max(timeout, 0), 50)
        with self.changed:
            now = time.monotonic()
            delay = self.settings.same_offset_delay
            if self.settings.slow_same_offset and offset == self._last_offset:
                if timeout < delay and now < self._last_start + delay:
                    timeout = delay
                if now < self._last_start + delay / 6:
                    limit = 1
            self._last_offset, self._last_start = offset, now
            self.end_poll(_OTHER_POLL)
            self._confirm(offset)
            self._current = poll = _Poll(waiter, limit, now + timeout)
            self.changed.notify_all()
            return poll

    def _confirm(self, offset: int) -> None:
        """Drop what the offset confirms; an offset that the queue does not know drops nothing."""
        if offset < 0:
            keep = min(-offset, len(self.pending))
            self._drop_first(len(self.pending) - keep)
        elif offset > 0:
            for count, update in enumerate(self.pending):
                if update["update_id"] == offset:
                    self._drop_first(count)
                    return
                if update["update_id"] == offset - 1:
                    self._drop_first(count + 1)
                    return

    def _drop_first(self, count: int) -> None:
        for _ in range(count):
            self.confirmed_below = self.pending.popleft()["update_id"] + 1
        self.confirmed += count

    def _refuse(self, reason: str, waiter: PollWaiter) -> None:
        with self.changed:
            now = time.monotonic()
            self.conflicts += 1
            wait = self.settings.conflict_delay if now < self._next_conflict else 0.0
            if not wait:
                self._next_conflict = now + self.settings.conflict_delay
        until = now + wait
        while (left := until - time.monotonic()) > 0:
            waiter.pause(left)
        raise ApiProblem(409, reason)
