"""The dead letters in the state file."""

from __future__ import annotations

from collections.abc import Callable

from syncbot.storage.base import DeadLetter, Incoming
from syncbot.storage.database import Database
from syncbot.storage.sql_rows import insert_waiting

_COLUMNS = "SELECT id, update_id, chat, json, reason, attempts, stored, died FROM dead_letter"


class SqlDeadLetters:
    """`syncbot.storage.base.DeadLetters` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def entries(self, limit: int = 100, *, before: int | None = None) -> list[DeadLetter]:
        rows = self._database.rows(f"{_COLUMNS} WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?", (before, before, limit))
        return [DeadLetter(*row) for row in rows]

    def get(self, id: int) -> DeadLetter | None:
        rows = self._database.rows(f"{_COLUMNS} WHERE id = ?", (id,))
        return DeadLetter(*rows[0]) if rows else None

    def count(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM dead_letter")[0][0])

    def requeue(self, id: int) -> bool:
        with self._database.transaction(durable=True) as db:
            row = db.execute(f"{_COLUMNS} WHERE id = ?", (id,)).fetchone()
            if row is None:
                return False
            letter = DeadLetter(*row)
            db.execute("DELETE FROM dead_letter WHERE id = ?", (id,))
            insert_waiting(db, [Incoming(letter.update_id, letter.key, letter.body)], self._now(), stored=letter.stored, attempts=letter.attempts)
        return True

    def drop(self, id: int) -> bool:
        with self._database.transaction() as db:
            return db.execute("DELETE FROM dead_letter WHERE id = ?", (id,)).rowcount == 1
