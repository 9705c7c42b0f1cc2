# ruff: noqa: S608 - statements are composed of the constants of this file only
"""Jobs in the state file."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Any

from syncbot.storage.codec import encode_job
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.promises.jobs import MOST_BEGUN, JobEntry, JobStart, Missed
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.inbox_rows import insert_rows, next_row
from syncbot.storage.sqlite.shapes import read_row

_log = logging.getLogger(__name__)

_COLUMNS = ("key", "name", "rule", "next_time", "chat", "user", "data", "missed", "paused", "declared")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM job"
_PUT = f"""INSERT INTO job ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" * len(_COLUMNS))})
    ON CONFLICT (key) DO UPDATE SET next_time = iif(rule = excluded.rule, next_time, excluded.next_time), paused = iif(rule = excluded.rule, paused, 0),
    name = excluded.name, rule = excluded.rule, chat = excluded.chat, user = excluded.user, data = excluded.data, missed = excluded.missed,
    declared = excluded.declared"""
# Its last run has ended: what is done may still lie in the inbox, to be swept.
_READY = """paused = 0 AND name IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM inbox WHERE seq = job.run AND state <> 'done')"""
_RUNS = "SELECT count(*) FROM inbox WHERE update_id < 0 AND state <> 'done'"


class SqlJobs:
    """`syncbot.storage.promises.parts.JobEntries` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def put(self, *entries: JobEntry) -> None:
        rows = [encode_job(entry) for entry in entries]
        if rows:
            with self._database.transaction(durable=True) as db:
                db.executemany(_PUT, rows)

    def declare(self, entries: Sequence[JobEntry]) -> None:
        rows = [encode_job(entry) for entry in entries]
        if not rows and not self._database.rows("SELECT 1 FROM job WHERE declared LIMIT 1"):
            return
        with self._database.transaction() as db:
            db.executemany(_PUT, rows)
            db.execute("DELETE FROM job WHERE declared AND key NOT IN (SELECT value FROM json_each(?))", (json.dumps([entry.key for entry in entries]),))

    def entries(self) -> list[JobEntry]:
        rows = self._database.rows(f"{_SELECT} ORDER BY next_time, key")
        return [entry for row in rows if (entry := _entry(row)[0]) is not None]

    def get(self, key: str) -> JobEntry | None:
        rows = self._database.rows(f"{_SELECT} WHERE key = ?", (key,))
        return _entry(rows[0])[0] if rows else None

    def remove(self, key: str) -> bool:
        with self._database.transaction(durable=True) as db:
            return db.execute("DELETE FROM job WHERE key = ?", (key,)).rowcount > 0

    def change(self, key: str, *, paused: bool | None = None, next_time: float | None = None) -> bool:
        with self._database.transaction(durable=True) as db:
            sql = "UPDATE job SET paused = coalesce(?, paused), next_time = coalesce(?, next_time) WHERE key = ?"
            return db.execute(sql, (paused, next_time, key)).rowcount > 0

    def due(self, now: float, names: Collection[str]) -> list[JobEntry]:
        with self._database.reading() as db:
            room = MOST_BEGUN - int(db.execute(_RUNS).fetchone()[0])
            rows = db.execute(
                f"{_SELECT} WHERE {_READY} AND next_time <= ? ORDER BY next_time LIMIT ?", (json.dumps(list(names)), now, max(0, room))
            ).fetchall()
        found: list[JobEntry] = []
        for row in rows:
            entry, faults = _entry(row)
            if entry is not None:
                found.append(entry)
            else:  # the others go on
                self._set_aside(row[0], faults)
        return found

    def begin(self, starts: Sequence[JobStart]) -> int:
        with self._database.transaction() as db:
            return sum(_begin(db, start, self._now()) for start in starts) if starts else 0

    def next_time(self, names: Collection[str]) -> float | None:
        with self._database.reading() as db:
            if int(db.execute(_RUNS).fetchone()[0]) >= MOST_BEGUN:
                return None
            found = db.execute(f"SELECT min(next_time) FROM job WHERE {_READY}", (json.dumps(list(names)),)).fetchone()[0]
        return found if isinstance(found, float) else None

    def _set_aside(self, key: Any, faults: str) -> None:
        _log.error("the job %r in the state file is damaged (%s), and is not begun: put it anew, or look with syncbot check-state", key, faults)
        self._database.write("UPDATE job SET paused = 1 WHERE key IS ?", (key,))


def _begin(db: sqlite3.Connection, start: JobStart, now: float) -> bool:
    """Begin one inside the caller's transaction; False where it has changed, or its time is passed over."""
    entry = start.entry
    due = (entry.key, entry.next_time)
    if start.following is None:
        changed = db.execute("DELETE FROM job WHERE key = ? AND next_time = ? AND paused = 0", due).rowcount
    else:
        changed = db.execute("UPDATE job SET next_time = ? WHERE key = ? AND next_time = ? AND paused = 0", (start.following, *due)).rowcount
    if not changed or start.body is None:
        return False
    row = next_row(db)
    insert_rows(db, [Incoming(-row, start.order, start.body)], now, attempts=0)
    db.execute("UPDATE job SET run = ? WHERE key = ?", (row, entry.key))
    return True


def _entry(row: Sequence[Any]) -> tuple[JobEntry | None, str]:
    """What a row stands for; and None with what is wrong with it."""
    values, faults = read_row("job", _COLUMNS, row)
    if faults:
        return None, faults
    key, name, rule, next_time, chat_id, user_id, data, missed, paused, declared = values
    return JobEntry(key, name, rule, next_time, chat_id, user_id, data, Missed(missed), bool(paused), bool(declared)), ""
