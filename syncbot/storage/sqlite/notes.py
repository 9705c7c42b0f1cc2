# ruff: noqa: S608 - statements are composed of the constants of this file only
"""What the process that handles has begun and ended since its last transaction, and what it may begin next without one."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from syncbot.storage.sqlite.turn_log import BEGUN, ENDED, TurnLog, look, take_over

Found = tuple[int, int, str, float, int, bytes]
"""seq, update_id, chat, stored, attempts, body"""

_LISTED = "SELECT value FROM json_each(?)"
_MOST_ENDED = 64
_LONGEST_SECONDS = 0.2
_NEARLY_FULL = 0.7
_WINDOW_ROWS = 64
_WINDOW_BYTES = 256 * 1024


class Notes:
    """Beginnings and ends that the tables do not say yet. They stand in the turn log, and so outlive the process.

    Args:
        log: where they are noted.
    """

    def __init__(self, log: TurnLog) -> None:
        self._log = log
        self._begun: dict[int, int] = {}
        self._ended: dict[int, None] = {}
        self._since = 0.0

    @property
    def begun(self) -> Collection[int]:
        """Rows that are in handlers, and wait as far as the tables know."""
        return self._begun

    @property
    def ended(self) -> Collection[int]:
        """Rows that are done, and not yet as far as the tables know."""
        return self._ended

    @property
    def replaced(self) -> bool:
        """Whether another process handles in this one's place."""
        return self._log.replaced

    @property
    def has_room(self) -> bool:
        """Whether one more can be noted."""
        return self._log.has_room

    @property
    def are_due(self) -> bool:
        """Whether they have become so many, or so old, that they should be settled before anything new is begun."""
        if not self._ended:
            return self._log.used > _NEARLY_FULL
        return len(self._ended) >= _MOST_ENDED or time.monotonic() - self._since > _LONGEST_SECONDS or self._log.used > _NEARLY_FULL

    def begin(self, row: int, update_id: int) -> None:
        """An update goes to its handler."""
        self._log.note(row, update_id, BEGUN)
        self._begun[row] = update_id

    def end(self, row: int, update_id: int) -> None:
        """Its handler has returned."""
        self._log.note(row, update_id, ENDED)
        if not self._ended:
            self._since = time.monotonic()
        self._ended[row] = None
        self._begun.pop(row, None)

    def settle(self, db: sqlite3.Connection, run: int) -> None:
        """Write them into the tables; `settled` follows when that is committed."""
        if self._ended:
            db.execute(f"UPDATE inbox SET state = 'done' WHERE seq IN ({_LISTED})", (json.dumps(list(self._ended)),))
        if self._begun:
            db.execute(f"UPDATE inbox SET state = 'running', run = ? WHERE seq IN ({_LISTED})", (run, json.dumps(list(self._begun))))

    def settled(self) -> None:
        """They stand in the tables."""
        self._ended.clear()
        self._begun.clear()
        self._log.clear()

    def close(self) -> None:
        """Let go of the log; it stays where something in it is not settled."""
        self._log.close(remove=not self._begun and not self._ended)


def apply_earlier(db: sqlite3.Connection, path: Path, run: int) -> None:
    """Write what an earlier run has noted into the tables.

    Args:
        db: in a transaction.
        path: the turn log.
        run: the run that has handled last.
    """
    marks = take_over(path, run)
    states = {BEGUN: "state = 'running'", ENDED: "state = 'done'"}
    before = {BEGUN: "state = 'waiting'", ENDED: "state IN ('waiting', 'running', 'yielded')"}
    for row, (update_id, mark) in marks.items():
        if mark in states:
            db.execute(f"UPDATE inbox SET {states[mark]} WHERE seq = ? AND update_id = ? AND {before[mark]}", (row, update_id))


def seen_from_outside(path: Path, run: int) -> tuple[list[int], list[int]]:
    """The rows that the process that handles now has begun, and those that it has ended, as far as only its turn log says so."""
    marks = look(path, run)
    return [row for row, (_, mark) in marks.items() if mark == BEGUN], [row for row, (_, mark) in marks.items() if mark == ENDED]


class Window:
    """The next updates that wait, read ahead: as many as are worth one look at the tables, and no more than memory is there for.

    They are the oldest ones of all; only where those are all of busy keys, the oldest ones of the others.
    """

    def __init__(self) -> None:
        self._rows: list[Found] = []
        self._passed_over: frozenset[str] = frozenset()

    def fill(self, waiting: Callable[[Collection[str]], Iterable[Found]], busy: Collection[str]) -> None:
        """Read ahead anew.

        Args:
            waiting: what waits, the oldest first, without these keys.
            busy: the keys of which nothing may be handed out now.
        """
        self._passed_over = frozenset()
        if self._read(waiting(())) and self._first(busy) is None:
            self._passed_over = frozenset(busy)
            self._read(waiting(busy))

    def take(self, busy: Collection[str]) -> Found | None:
        """The first one whose key is not busy; None where that may be one that is not read yet."""
        if not self._passed_over.issubset(busy):
            return None  # an older one may run now
        place = self._first(busy)
        return None if place is None else self._rows.pop(place)

    def clear(self) -> None:
        """Forget them: they may not be the next ones any more."""
        self._rows.clear()

    def _first(self, busy: Collection[str]) -> int | None:
        for place, row in enumerate(self._rows):
            if not row[2] or row[2] not in busy:
                return place
        return None

    def _read(self, rows: Iterable[Found]) -> bool:
        """Read as many as there is room for; False where there were no more."""
        self._rows = []
        size = 0
        for row in rows:
            self._rows.append(row)
            size += len(row[5])
            if len(self._rows) >= _WINDOW_ROWS or size >= _WINDOW_BYTES:
                return True
        return False
