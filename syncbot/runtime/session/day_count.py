"""How many bytes a day a bot moves, reckoned from what it has moved so far."""

from __future__ import annotations

import time
from collections.abc import Callable

_DAY_SECONDS = 86_400
_LEAST_SECONDS = 60.0
_HOUR_SECONDS = 3600.0


class DayCount:
    """Reckons from the end of one poll to the end of a later one: what a start costs comes once, and half a poll says nothing.

    Args:
        moved: tells the bytes so far.
        clock: seconds, never going backwards.
    """

    def __init__(self, moved: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._moved = moved
        self._clock = clock
        self._start = self._first = self._last = (clock(), moved())
        self._polls = 0

    def tick(self, polls: int) -> None:
        """Look whether a poll has ended.

        Args:
            polls: how many have begun.
        """
        if polls == self._polls:
            return
        self._last = (self._clock(), self._moved())
        if self._polls <= 1:  # the first poll has begun, or ended
            self._first = self._last
        self._polls = polls

    def bytes_a_day(self) -> int:
        """At the pace of the polls so far; before that can be told, the bytes of this run as they are."""
        (first_at, first), (last_at, last) = self._first, self._last
        if last_at - first_at >= _LEAST_SECONDS:
            return round((last - first) / (last_at - first_at) * _DAY_SECONDS)
        seconds, moved = self._clock() - self._start[0], self._moved() - self._start[1]
        return round(moved / seconds * _DAY_SECONDS) if seconds >= _HOUR_SECONDS else moved
