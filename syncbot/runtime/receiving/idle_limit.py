"""Learns how long a poll may wait: many proxies and routers cut a connection on which nothing moves for a while."""

from __future__ import annotations

from collections.abc import Callable

LONGEST_WAIT_SECONDS = 50
"""The most that Telegram waits (getUpdates clamps `timeout` to it)."""
SHORTEST_WAIT_SECONDS = 3
"""The least that is worth asking for: Telegram holds a poll that repeats its offset for so long, whatever it asks."""
SHORTEST_LIMIT_SECONDS = 1.0
"""A connection that was cut younger than this was not cut for being idle."""
_NEAR_PART, _NEAR_SECONDS = 0.1, 0.5
"""Two cuts whose ages differ by less than this are at the same limit."""
_SAFE_PART = 0.8
_FORGET_AFTER = 20
"""After so many polls without a cut the last one counts as an accident."""
_FIRST_PATIENCE = 40
_LONGEST_PATIENCE = 2000


class IdleLimit:
    """Chooses the seconds that the next poll asks Telegram to wait.

    When two polls are cut near the same age, the way has an idle limit there, and polls are kept below it. After a number of quiet polls
    that doubles each time, one longer poll finds out whether the limit is still there, so that at most one poll in forty is cut.

    Args:
        longest: seconds that a poll waits on a way without a limit.
        learned: seconds known from an earlier run, or None.
        on_change: told what was learned (None: no limit), to be remembered.
    """

    def __init__(self, longest: int = LONGEST_WAIT_SECONDS, learned: int | None = None, on_change: Callable[[int | None], None] = lambda _: None) -> None:
        self._longest = longest
        self._shortest = min(SHORTEST_WAIT_SECONDS, longest)
        self._on_change = on_change
        self._wait = longest if learned is None else max(self._shortest, min(longest, learned))
        self._limit = 0.0  # the age at which polls were cut, where that was seen
        self._last_cut_age: float | None = None
        self._quiet = 0
        self._patience = _FIRST_PATIENCE
        self._probing: int | None = None
        self._on_trial = False

    def next_wait(self) -> int:
        """Seconds for the next poll."""
        return self._probing or self._wait

    def passed(self, waited: float) -> None:
        """A poll was answered after `waited` seconds."""
        if waited < 0.9 * self.next_wait():
            return  # an update came early: it says nothing about the limit
        if self._probing is not None:
            self._set(self._probing)
            self._on_trial = True  # one that passed proves little where the limit is near
            return
        self._quiet += 1
        if self._quiet >= _FORGET_AFTER:
            self._last_cut_age = None
        if self._on_trial and self._quiet >= _FIRST_PATIENCE:
            self._on_trial = False
            self._patience = _FIRST_PATIENCE
        if self._wait < self._longest and self._quiet >= self._patience:
            self._probing = min(self._longest, max(int(self._wait * 1.5), int(self._limit) + 1, self._wait + 1))

    def cut(self, age: float) -> None:
        """A poll was cut after `age` seconds, before Telegram would have answered."""
        if age < SHORTEST_LIMIT_SECONDS:
            return
        if self._gave_up_probing():
            return
        previous, self._last_cut_age = self._last_cut_age, age
        self._quiet = 0
        if previous and abs(previous - age) <= max(_NEAR_SECONDS, _NEAR_PART * max(previous, age)):
            self._learn(min(previous, age))

    def stalled(self) -> None:
        """A poll got no answer at all, not even when Telegram's time was over: something dropped the connection without a word."""
        if self._gave_up_probing():
            return
        previous, self._last_cut_age = self._last_cut_age, 0.0
        self._quiet = 0
        if previous == 0.0:
            self._learn(self._wait / 2 / _SAFE_PART)

    def _gave_up_probing(self) -> bool:
        if self._probing is None:
            return False
        self._probing = None
        self._quiet = 0
        self._patience = min(self._patience * 2, _LONGEST_PATIENCE)
        return True

    def _learn(self, limit: float) -> None:
        if self._on_trial:
            self._on_trial = False
            self._patience = min(self._patience * 2, _LONGEST_PATIENCE)
        self._limit = limit
        self._set(min(self._wait - 1, int(_SAFE_PART * limit)))

    def _set(self, wait: int) -> None:
        self._wait = max(self._shortest, wait)
        self._probing = None
        self._last_cut_age = None
        self._quiet = 0
        self._on_change(self._wait if self._wait < self._longest else None)
