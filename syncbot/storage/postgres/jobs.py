# ruff: noqa: S608 - statements are composed of the constants of this file only
"""Jobs in the database: whichever machines look, each time of a job is begun once, since its row changes with the run that is put into the inbox."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from syncbot.storage.codec import LAST_TIME, Unreadable, check_time, decode, decode_object, encode_job
from syncbot.storage.postgres.inbox_rows import insert_run
from syncbot.storage.postgres.server.database import PgDatabase
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.jobs import MOST_BEGUN, JobEntry, JobStart, Missed

_log = logging.getLogger(__name__)

_COLUMNS = 'key, name, rule, next_time, chat, "user", data, missed, paused, declared'
_SELECT = f"SELECT {_COLUMNS} FROM syncbot.job"
_PUT = f"""INSERT INTO syncbot.job AS j (bot, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (bot, key) DO UPDATE SET next_time = CASE WHEN j.rule = excluded.rule THEN j.next_time ELSE excluded.next_time END,
    paused = j.rule = excluded.rule AND j.paused, name = excluded.name, rule = excluded.rule, chat = excluded.chat, "user" = excluded."user",
    data = excluded.data, missed = excluded.missed, declared = excluded.declared"""
_READY = "NOT paused AND name = ANY (%(names)s) AND NOT EXISTS (SELECT 1 FROM syncbot.inbox AS i WHERE i.bot = job.bot AND i.seq = job.run)"
_RUNS = "SELECT count(*) FROM syncbot.inbox WHERE bot = %(bot)s AND update_id < 0"


class PgJobs:
    """`syncbot.storage.promises.parts.JobEntries` in PostgreSQL.

    Args:
        database: the database.
        now: seconds since 1970.
    """

    def __init__(self, database: PgDatabase, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def put(self, *entries: JobEntry) -> None:
        rows = [encode_job(entry) for entry in entries]
        if rows:
            with self._database.transaction() as db:
                self._write(db, rows)
            self._database.news.tell()

    def declare(self, entries: Sequence[JobEntry]) -> None:
        rows = [encode_job(entry) for entry in entries]
        bot = self._database.bot
        if not rows and not self._database.rows("SELECT 1 FROM syncbot.job WHERE bot = %s AND declared LIMIT 1", (bot,)):
            return
        with self._database.transaction() as db:
            self._write(db, rows)
            db.execute("DELETE FROM syncbot.job WHERE bot = %s AND declared AND NOT key = ANY (%s)", (bot, [row[0] for row in rows]))

    def entries(self) -> list[JobEntry]:
        rows = self._database.rows(f"{_SELECT} WHERE bot = %s ORDER BY next_time, key", (self._database.bot,))
        return [entry for row in rows if (entry := _entry(row)[0]) is not None]

    def get(self, key: str) -> JobEntry | None:
        rows = self._database.rows(f"{_SELECT} WHERE bot = %s AND key = %s", (self._database.bot, key))
        return _entry(rows[0])[0] if rows else None

    def remove(self, key: str) -> bool:
        with self._database.transaction() as db:
            return bool(db.execute("DELETE FROM syncbot.job WHERE bot = %s AND key = %s RETURNING key", (self._database.bot, key)).fetchall())

    def change(self, key: str, *, paused: bool | None = None, next_time: float | None = None) -> bool:
        with self._database.transaction() as db:
            sql = "UPDATE syncbot.job SET paused = coalesce(%s::boolean, paused), next_time = coalesce(%s::float8, next_time)"
            where = "WHERE bot = %s AND key = %s RETURNING key"
            found = bool(db.execute(f"{sql} {where}", (paused, next_time, self._database.bot, key)).fetchall())
        self._database.news.tell()
        return found

    def due(self, now: float, names: Collection[str]) -> list[JobEntry]:
        with self._database.reading() as db:
            room = MOST_BEGUN - int(db.execute(_RUNS, {"bot": self._database.bot}).fetchall()[0][0])
            rows = db.execute(
                f"{_SELECT} WHERE bot = %(bot)s AND {_READY} AND (next_time <= %(now)s OR next_time > %(last)s) ORDER BY next_time LIMIT %(room)s",
                {"bot": self._database.bot, "names": list(names), "now": now, "last": LAST_TIME, "room": max(0, room)},
            ).fetchall()
        found: list[JobEntry] = []
        for row in rows:
            entry, faults = _entry(row)
            if entry is not None:
                found.append(entry)
            else:  # the others go on
                _log.error("the job %r in the database is damaged (%s), and is not begun: put it anew", row[0], faults)
                self.change(row[0], paused=True)
        return found

    def begin(self, starts: Sequence[JobStart]) -> int:
        if not starts:
            return 0
        with self._database.transaction() as db:
            # In one order, so that no two wait for each other.
            begun = sum(self._begin(db, start) for start in sorted(starts, key=lambda start: start.entry.key))
        if begun:
            self._database.news.tell()
        return begun

    def next_time(self, names: Collection[str]) -> float | None:
        values = {"bot": self._database.bot, "names": list(names)}
        sql = f"SELECT ({_RUNS}), min(next_time) FROM syncbot.job WHERE bot = %(bot)s AND {_READY}"
        [(runs, found)] = self._database.rows(sql, values)
        return found if runs < MOST_BEGUN and isinstance(found, float) else None

    def _write(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        for row in sorted(rows, key=lambda row: str(row[0])):  # in one order, as in `begin`
            db.execute(_PUT, (self._database.bot, *row))

    def _begin(self, db: Connection, start: JobStart) -> bool:
        """Begin one inside the caller's transaction; False where it has changed, or its time is passed over."""
        bot, entry = self._database.bot, start.entry
        same = "WHERE bot = %s AND key = %s AND next_time = %s AND NOT paused RETURNING key"
        if start.following is None:
            changed = db.execute(f"DELETE FROM syncbot.job {same}", (bot, entry.key, entry.next_time)).fetchall()
        else:
            changed = db.execute(f"UPDATE syncbot.job SET next_time = %s {same}", (start.following, bot, entry.key, entry.next_time)).fetchall()
        if not changed or start.body is None:
            return False
        row = insert_run(db, bot, start.order, start.body, self._now())
        db.execute("UPDATE syncbot.job SET run = %s WHERE bot = %s AND key = %s", (row, bot, entry.key))
        return True


def _entry(row: Sequence[Any]) -> tuple[JobEntry | None, str]:
    """What a row stands for; and None with what is wrong with it."""
    key, name, rule, next_time, chat_id, user_id, data, missed, paused, declared = row
    try:
        times = decode_object(rule), check_time(next_time)
        return JobEntry(key, name, *times, chat_id, user_id, decode(data), Missed(missed), paused, declared), ""
    except (Unreadable, ValueError) as problem:
        return None, str(problem)
