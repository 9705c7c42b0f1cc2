# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The statements that the inbox and the dead letters share; each runs inside its caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence

from syncbot.storage.base import PLAUSIBLE_TIME, Incoming, StoreOptions
from syncbot.storage.codec import decode, encode

# Whether the update of a remembered id is still to be handled; that it is in the window, or not, does not matter then.
_STILL_THERE = "EXISTS (SELECT 1 FROM inbox WHERE inbox.seq = seen.seq AND inbox.update_id = seen.update_id AND inbox.state <> 'done')"


def known_ids(db: sqlite3.Connection, ids: Collection[int], since: float) -> set[int]:
    """Which of these ids were seen since then, or are still in the inbox."""
    if not ids:
        return set()
    sql = f"SELECT update_id FROM seen WHERE update_id IN (SELECT value FROM json_each(?)) AND (at >= ? OR {_STILL_THERE})"
    return {id for (id,) in db.execute(sql, (json.dumps(list(ids)), since))}


def insert_waiting(db: sqlite3.Connection, updates: Sequence[Incoming], now: float, *, stored: float | None = None, attempts: int = 0) -> None:
    """Put updates at the end of the inbox and remember their ids."""
    if not updates:
        return
    first = int(db.execute("SELECT coalesce(max(seq), 0) FROM inbox").fetchone()[0]) + 1
    rows = list(enumerate(updates, first))
    came = now if stored is None else stored
    db.executemany(
        "INSERT INTO inbox (seq, update_id, chat, stored, attempts) VALUES (?, ?, ?, ?, ?)",
        [(seq, u.update_id, u.key, came, attempts) for seq, u in rows],
    )
    db.executemany("INSERT INTO body (seq, json) VALUES (?, ?)", [(seq, u.body) for seq, u in rows])
    db.executemany("INSERT OR REPLACE INTO seen (update_id, seq, at) VALUES (?, ?, ?)", [(u.update_id, seq, now) for seq, u in rows])


def bury_row(db: sqlite3.Connection, seq: int, reason: str, now: float, *, handed_out: int) -> int:
    """Move an update from the inbox to the dead letters; `handed_out` adds the attempt that is not counted yet. Returns the letter's id."""
    letter = db.execute(
        """INSERT INTO dead_letter (update_id, chat, stored, died, attempts, reason, json)
            SELECT update_id, chat, stored, ?, attempts + ?, ?, json FROM inbox JOIN body USING (seq) WHERE seq = ?""",
        (now, handed_out, reason, seq),
    ).lastrowid
    db.execute("UPDATE inbox SET state = 'done' WHERE seq = ?", (seq,))
    assert letter is not None
    return letter


def sweep(db: sqlite3.Connection, done: list[int]) -> list[int]:
    """Delete done rows; returns those that have to stay (the highest number, from which the next one is counted)."""
    if not done:
        return []
    listed = json.dumps(done)
    last = int(db.execute("SELECT max(seq) FROM inbox").fetchone()[0] or 0)
    db.execute("DELETE FROM body WHERE seq IN (SELECT value FROM json_each(?))", (listed,))
    db.execute("DELETE FROM inbox WHERE seq IN (SELECT value FROM json_each(?)) AND seq < ?", (listed, last))
    return [seq for seq in done if seq == last]


def forget_ids(db: sqlite3.Connection, since: float, limit: int) -> None:
    """Keep to the window's bounds of time and number; an id stays as long as its update does."""
    db.execute(f"DELETE FROM seen WHERE at < ? AND NOT {_STILL_THERE}", (since,))
    db.execute(f"DELETE FROM seen WHERE seq <= (SELECT seq FROM seen ORDER BY seq DESC LIMIT 1 OFFSET ?) AND NOT {_STILL_THERE}", (limit,))


def forget_dead_letters(db: sqlite3.Connection, now: float, options: StoreOptions) -> None:
    """Keep to the bounds of number and age."""
    db.execute("DELETE FROM dead_letter WHERE died < ? AND died > ?", (now - options.dead_seconds, PLAUSIBLE_TIME))
    db.execute("DELETE FROM dead_letter WHERE id <= (SELECT id FROM dead_letter ORDER BY id DESC LIMIT 1 OFFSET ?)", (options.dead_limit,))


def number(db: sqlite3.Connection, name: str) -> int:
    """One of the store's own numbers; 0 where it was never set."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return int(decode(row[0])) if row else 0


def set_number(db: sqlite3.Connection, name: str, value: int) -> None:
    """Set one of the store's own numbers."""
    db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, encode(value, name)))
