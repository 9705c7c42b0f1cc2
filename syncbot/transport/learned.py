"""What connections have taught: which ways take an early opening, and which servers need only one kind of key.

It is small, holds no credentials, and may be kept by whoever has a place for it: `facts` gives it as JSON values, and `take` takes such back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from syncbot.process import ForkSafeLock, PerProcess
from syncbot.types import JSON, Lessons

_DAY_SECONDS = 86_400.0
_WELL_FROM = 3
"""So many early openings that went well make it the way's habit."""
_REMEMBERED = 10
_BAD_FROM = 2
"""So many that failed among those remembered end it for a day."""
_PATIENCE_TIMES, _LEAST_PATIENCE_SECONDS = 3.0, 0.5
_FADES = 0.7
_MOST_SECONDS = 3600.0
_MOST_ENTRIES = 100
_WELL, _BAD = "w", "b"


class WayFacts(NamedTuple):
    """What is known of one way.

    Args:
        recent: a letter for each of the last early openings, "w" where it went well, else "b".
        seconds: how long an opening takes from the first byte to the last, early where that is the habit; 0 where none was seen.
        not_before: `time.time()` before which no early one is tried.
    """

    recent: str = ""
    seconds: float = 0.0
    not_before: float = 0.0

    @property
    def is_habit(self) -> bool:
        """Whether calls may be opened early."""
        return self.recent.count(_WELL) >= _WELL_FROM

    @property
    def patience_seconds(self) -> float:
        """How long an early opening may go without success."""
        return max(_LEAST_PATIENCE_SECONDS, _PATIENCE_TIMES * self.seconds) if self.seconds else math.inf


class ServerFacts(NamedTuple):
    """What is known of one server.

    Args:
        lean: it takes X25519 although more is offered.
        until: `time.time()` at which it is asked anew.
    """

    lean: bool
    until: float


class Learned:
    """What was learned; may be used from any number of threads.

    Args:
        clock: the time of day in seconds, by which a day is reckoned in this process and in later ones.
        more: what is learned elsewhere and kept with it, by the name that it gets there.
    """

    def __init__(self, clock: Callable[[], float] = time.time, **more: Lessons) -> None:
        self._clock = clock
        self._more = more
        self._lock = ForkSafeLock()
        self._ways: dict[str, WayFacts] = {}
        self._servers: dict[str, ServerFacts] = {}
        self._trying: PerProcess[set[str]] = PerProcess(set)
        self._changes = 0

    @property
    def changes(self) -> int:
        """Counts what is worth keeping: whoever keeps it looks whether this has grown."""
        return self._changes + sum(lessons.changes for lessons in self._more.values())

    # ── ways ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def way(self, way: str) -> WayFacts:
        """What is known of a way."""
        return self._ways.get(way, WayFacts())

    def begin_early(self, way: str, *, waited_for: bool) -> bool:
        """Whether to open early. One that no call waits for may be a trial, of which there is one at a time; `end_early` ends it.

        Args:
            way: its name.
            waited_for: a call waits for the connection.
        """
        facts = self.way(way)
        if facts.is_habit:
            return True
        if waited_for or facts.seconds <= 0 or facts.not_before > self._clock():
            return False
        with self._lock.here:
            if way in self._trying.here:
                return False
            self._trying.here.add(way)
        return True

    def end_early(self, way: str, well: bool | None, seconds: float = 0.0) -> None:
        """An early opening has ended.

        Args:
            way: its name.
            well: whether it went well; None where that says nothing of the way.
            seconds: how long it took, or was waited for; 0 where it has come to nothing, and neither has another one.
        """
        with self._lock.here:
            self._trying.here.discard(way)
            if well is None and not seconds:
                return
            before = self.way(way)
            recent = (before.recent + {True: _WELL, False: _BAD, None: ""}[well])[-_REMEMBERED:]
            # One that was fast by chance does not make the next one impatient, and one that came late makes it patient.
            facts = before._replace(recent=recent, seconds=max(seconds, before.seconds * _FADES) if well is not False else before.seconds)
            if recent.count(_BAD) >= _BAD_FROM:
                facts = facts._replace(recent="", not_before=self._clock() + _DAY_SECONDS)
            self._ways[way] = facts
            self._changes += well is False or before.recent.count(_WELL) < _WELL_FROM

    def opened(self, way: str, seconds: float) -> None:
        """An ordinary opening took so long."""
        with self._lock.here:
            if not self.way(way).is_habit:
                self._ways[way] = self.way(way)._replace(seconds=seconds)

    # ── servers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def server(self, server: str) -> ServerFacts | None:
        """What is known of a server; None where that is nothing, or too old."""
        facts = self._servers.get(server)
        return facts if facts is not None and facts.until > self._clock() else None

    def chose(self, server: str, *, lean: bool) -> None:
        """An authenticated handshake, in which all was offered, has shown what a server takes."""
        with self._lock.here:
            self._servers[server] = ServerFacts(lean, self._clock() + _DAY_SECONDS)
            self._changes += 1

    def doubt(self, server: str) -> None:
        """A handshake failed in which not all was offered."""
        with self._lock.here:
            if self._servers.pop(server, None) is not None:
                self._changes += 1

    # ── kept ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def facts(self) -> JSON:
        """All of it as JSON values; the oldest is left out where there is much."""
        with self._lock.here:
            ways = {way: facts._asdict() for way, facts in list(self._ways.items())[-_MOST_ENTRIES:] if facts.recent or facts.not_before}
            servers = {server: facts._asdict() for server, facts in list(self._servers.items())[-_MOST_ENTRIES:]}
        return {"ways": ways, "servers": servers} | {name: lessons.facts() for name, lessons in self._more.items()}

    def take(self, facts: object) -> None:
        """Take what `facts` gave, in this process or in an earlier one; what was learned here since wins, and what makes no sense is left out."""
        known = facts if isinstance(facts, dict) else {}
        ways = {way: found for way, entry in _entries(known.get("ways")) if (found := self._way_facts(entry)) is not None}
        servers = {server: read for server, entry in _entries(known.get("servers")) if (read := self._server_facts(entry)) is not None}
        with self._lock.here:
            self._ways = ways | {way: mine for way, mine in self._ways.items() if mine.recent or mine.not_before or way not in ways}
            self._servers = servers | self._servers
        for name, lessons in self._more.items():
            lessons.take(known.get(name))

    def _way_facts(self, entry: dict[str, Any]) -> WayFacts | None:
        recent, seconds, not_before = entry.get("recent"), _number(entry.get("seconds")), _number(entry.get("not_before"))
        if not isinstance(recent, str) or len(recent) > _REMEMBERED or recent.strip(_WELL + _BAD) or seconds is None or not_before is None:
            return None
        # A clock that was put back must not make a day longer than a day.
        return WayFacts(recent, min(seconds, _MOST_SECONDS), min(not_before, self._clock() + _DAY_SECONDS))

    def _server_facts(self, entry: dict[str, Any]) -> ServerFacts | None:
        lean, until = entry.get("lean"), _number(entry.get("until"))
        if not isinstance(lean, bool) or until is None:
            return None
        return ServerFacts(lean, min(until, self._clock() + _DAY_SECONDS))


def _entries(table: object) -> list[tuple[str, dict[str, Any]]]:
    pairs = list(table.items())[-_MOST_ENTRIES:] if isinstance(table, dict) else []
    return [(name, entry) for name, entry in pairs if isinstance(name, str) and isinstance(entry, dict)]


def _number(value: object) -> float | None:
    """A number that is finite and not below zero; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12 or not math.isfinite(value):
        return None
    return float(value)
