"""The dead letters in the database."""

from __future__ import annotations

from collections.abc import Callable

from syncbot.storage.postgres.inbox_rows import insert_waiting
from syncbot.storage.postgres.server.database import PgDatabase
from syncbot.storage.promises.dead_letters import DeadLetter
from syncbot.storage.promises.inbox import Incoming

_COLUMNS = "SELECT id, update_id, chat, json, reason, attempts, stored, died FROM syncbot.dead_letter"


class PgDeadLetters:
    """`syncbot.storage.promises.parts.DeadLetters` in PostgreSQL."""

    def __init__(self, database: PgDatabase, now: Callable[[], float], tell: Callable[[], object]) -> None:
        self._database = database
        self._now = now
        self._tell = tell

    def entries(self, limit: int = 100, *, before: int | None = None) -> list[DeadLetter]:
        sql = f"{_COLUMNS} WHERE bot = %s AND (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s"
        return [DeadLetter(*row) for row in self._database.rows(sql, (self._database.bot, before, before, limit))]

    def get(self, id: int) -> DeadLetter | None:
        rows = self._database.rows(f"{_COLUMNS} WHERE bot = %s AND id = %s", (self._database.bot, id))
        return DeadLetter(*rows[0]) if rows else None

    def count(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM syncbot.dead_letter WHERE bot = %s", (self._database.bot,))[0][0])

    def requeue(self, id: int) -> bool:
        bot = self._database.bot
        with self._database.transaction() as db:
            row = db.execute(f"{_COLUMNS} WHERE bot = %s AND id = %s FOR UPDATE", (bot, id)).fetchone()
            if row is None:
                return False
            letter = DeadLetter(*row)
            db.execute("DELETE FROM syncbot.dead_letter WHERE bot = %s AND id = %s", (bot, id))
            insert_waiting(db, bot, [Incoming(letter.update_id, letter.key, letter.body)], self._now(), stored=letter.stored, attempts=letter.attempts)
        self._tell()
        return True

    def drop(self, id: int) -> bool:
        with self._database.transaction() as db:
            sql = "DELETE FROM syncbot.dead_letter WHERE bot = %s AND id = %s RETURNING id"
            return bool(db.execute(sql, (self._database.bot, id)).fetchall())
