# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The dead letters in the state file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from syncbot.storage.promises.dead_letters import DeadLetter
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.sqlite.database import Database, Row
from syncbot.storage.sqlite.inbox_rows import insert_waiting
from syncbot.storage.sqlite.shapes import read_row

_NAMES = ("id", "update_id", "chat", "json", "reason", "attempts", "stored", "died")
_COLUMNS = f"SELECT {', '.join(_NAMES)} FROM dead_letter"


class SqlDeadLetters:
    """`syncbot.storage.promises.parts.DeadLetters` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def entries(self, limit: int = 100, *, before: int | None = None) -> list[DeadLetter]:
        rows = self._database.rows(f"{_COLUMNS} WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?", (before, before, limit))
        return [_letter(row) for row in rows]

    def get(self, id: int) -> DeadLetter | None:
        rows = self._database.rows(f"{_COLUMNS} WHERE id = ?", (id,))
        return _letter(rows[0]) if rows else None

    def count(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM dead_letter")[0][0])

    def requeue(self, id: int) -> bool:
        with self._database.transaction(durable=True) as db:
            row = db.execute(f"{_COLUMNS} WHERE id = ?", (id,)).fetchone()
            if row is None:
                return False
            letter = _letter(row)
            db.execute("DELETE FROM dead_letter WHERE id = ?", (id,))
            insert_waiting(db, [Incoming(letter.update_id, letter.key, letter.body)], self._now(), stored=letter.stored, attempts=letter.attempts)
        return True

    def drop(self, id: int) -> bool:
        return self._database.write("DELETE FROM dead_letter WHERE id = ?", (id,)) == 1


def _letter(row: Row) -> DeadLetter:
    """A letter; of a damaged one, what can be read of it."""
    values, faults = read_row("dead_letter", _NAMES, row)
    letter = DeadLetter(row[0], *values[1:])  # whatever its number is, it is found and dropped by it
    return replace(letter, reason=f"{letter.reason}\nits row in the state file is damaged: {faults}".strip()) if faults else letter
