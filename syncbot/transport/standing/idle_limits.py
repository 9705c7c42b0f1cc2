"""Learns for how long a connection on which nothing moves lives on each way: from polls, which are such connections, and from those that stood unused.

The two are told apart: a connection that has sent no request yet often has a shorter time at the server than one that waits for its answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from syncbot.process import ForkSafeLock

UNTRIED_SECONDS = 15.0
"""How long one stands where no poll has told more."""
SAFE_SECONDS = 2.0
"""What dies younger than this does not die of being idle."""
_SAFE_PART = 0.8
_NEAR_PART, _NEAR_SECONDS = 0.1, 1.5
"""Two ends whose ages differ by less than this are at the same limit; how a spare does is looked at once a second."""
_FORGET_SECONDS = 86_400.0
_MOST_DOUBLINGS = 6
_MOST_WAYS = 100
_MOST = 1e11
"""More than any of the facts can be; and no comparison with what is not a number is true."""


@dataclass
class IdleFacts:
    """What is known of one way; all ages in seconds.

    Args:
        passed: the longest silence of a poll that was answered.
        ended: the silence at which a poll was cut, or the one asked for where it was never answered; 0.0 where no longer one has failed since.
        silent: it was never answered: then only what has passed since counts.
        closed: the age at which the other end has last closed a connection that stood unused.
        unused: what one may stand unused, where that was found out; 0.0 where it was not.
        again_at: `time.time()` from which on `unused` is tried anew.
        deaths: how many answers were lost on what had stood; each doubles the time until then.
    """

    passed: float = 0.0
    ended: float = 0.0
    silent: bool = False
    closed: float = 0.0
    unused: float = 0.0
    again_at: float = 0.0
    deaths: int = 0


class IdleLimits:
    """What is known of all ways, to be kept from one run to the next.

    Args:
        now: seconds since 1970.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = ForkSafeLock()
        self._ways: dict[str, IdleFacts] = {}
        self.changes = 0
        """Counts what is worth keeping."""

    def stand_seconds(self, way: str) -> float:
        """For how long a connection may stand unused on a way, the margin taken off."""
        with self._lock.here:
            facts = self._ways.get(way, IdleFacts())
            seconds = _SAFE_PART * facts.passed if facts.silent else max(UNTRIED_SECONDS, _SAFE_PART * facts.passed)
            if facts.ended:
                seconds = min(seconds, _SAFE_PART * facts.ended)
            if facts.unused and self._now() < facts.again_at:
                seconds = min(seconds, facts.unused)
            return seconds

    def poll_passed(self, way: str, seconds: float) -> None:
        """A poll was answered after so many seconds of silence."""
        with self._lock.here:
            facts = self._of(way)
            # A second more or less is not worth a write; neither is what a limit forbids to use.
            self.changes += seconds > max(facts.passed + 1.0, UNTRIED_SECONDS) or (0 < facts.ended < seconds)
            facts.passed = max(facts.passed, seconds)
            if seconds > facts.ended:
                facts.ended, facts.silent = 0.0, False

    def poll_ended(self, way: str, seconds: float, *, silent: bool) -> None:
        """A poll was cut after so many seconds; `silent`: it was never answered, and nobody knows since when it was dead."""
        if seconds < SAFE_SECONDS:
            return
        with self._lock.here:
            facts = self._of(way)
            self.changes += 1
            facts.ended = min(facts.ended or seconds, seconds)
            facts.silent |= silent
            facts.passed = 0.0 if silent else min(facts.passed, seconds)

    def spare_closed(self, way: str, seconds: float) -> None:
        """The other end has closed one that stood unused. Once may be an accident; twice at the same age is a limit."""
        with self._lock.here:
            facts = self._of(way)
            before, facts.closed = facts.closed, seconds
            if before and abs(before - seconds) <= max(_NEAR_SECONDS, _NEAR_PART * before):
                self._limit(facts, _SAFE_PART * min(before, seconds), _FORGET_SECONDS)

    def spare_lost(self, way: str, seconds: float, *, silent: bool) -> None:
        """An answer was lost on one that had stood so long before; `silent`: not even an end of the connection came.

        What dies in silence may have done so at any age, and a call must not find out a second time; who cuts says so at once.
        """
        if seconds <= SAFE_SECONDS:
            return
        with self._lock.here:
            facts = self._of(way)
            self._limit(facts, SAFE_SECONDS if silent else max(SAFE_SECONDS, seconds / 2), _FORGET_SECONDS * 2.0 ** min(facts.deaths, _MOST_DOUBLINGS))
            facts.deaths += 1

    def facts(self) -> dict[str, dict[str, Any]]:
        """All that is known, as JSON values by way; no way's name holds credentials."""
        with self._lock.here:
            return {way: asdict(facts) for way, facts in list(self._ways.items())[-_MOST_WAYS:]}

    def take(self, facts: object) -> None:
        """Take what `facts` gave in an earlier run; what was learned since wins, and what makes no sense is left out."""
        kinds = {field.name: type(field.default) for field in fields(IdleFacts)}
        with self._lock.here:
            for way, given in list(facts.items())[-_MOST_WAYS:] if isinstance(facts, dict) else ():
                if isinstance(given, dict) and all(type(given.get(name)) is kind and 0 <= given[name] < _MOST for name, kind in kinds.items()):
                    known = IdleFacts(**{name: given[name] for name in kinds})
                    # A clock that was put back must not make a day longer than the longest time for which anything is kept.
                    known.again_at = min(known.again_at, self._now() + _FORGET_SECONDS * 2.0**_MOST_DOUBLINGS)
                    self._ways.setdefault(str(way), known)

    def _of(self, way: str) -> IdleFacts:
        return self._ways.setdefault(way, IdleFacts())

    def _limit(self, facts: IdleFacts, seconds: float, forget_seconds: float) -> None:
        facts.unused = min(seconds, facts.unused) if facts.unused and self._now() < facts.again_at else seconds
        self.changes += 1
        facts.again_at = max(facts.again_at, self._now() + forget_seconds)
