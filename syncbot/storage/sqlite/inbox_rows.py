# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The statements that the inbox and the dead letters share; each runs inside its caller's transaction."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from syncbot.storage.codec import Unreadable, encode, storable
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.promises.store import PLAUSIBLE_TIME, StoreOptions
from syncbot.storage.sqlite.shapes import MOST_NUMBER, TABLES, fact, read_row

# Whether the update of a remembered id is still to be handled; that it is in the window, or not, does not matter then.
_STILL_THERE = "EXISTS (SELECT 1 FROM inbox WHERE inbox.seq = seen.seq AND inbox.update_id = seen.update_id AND inbox.state <> 'done')"
_INBOX = tuple(TABLES["inbox"])
_log = logging.getLogger(__name__)


def known_ids(db: sqlite3.Connection, ids: Collection[int], since: float) -> set[int]:
    """Which of these ids were seen since then, or are still in the inbox."""
    if not ids:
        return set()
    sql = f"SELECT update_id FROM seen WHERE update_id IN (SELECT value FROM json_each(?)) AND (at >= ? OR {_STILL_THERE})"
    return {id for (id,) in db.execute(sql, (json.dumps(list(ids)), since))}


def insert_waiting(db: sqlite3.Connection, updates: Sequence[Incoming], now: float, *, stored: float | None = None, attempts: int = 0) -> None:
    """Put updates at the end of the inbox and remember their ids."""
    rows = insert_rows(db, updates, now if stored is None else stored, attempts=attempts)
    db.executemany("INSERT OR REPLACE INTO seen (update_id, seq, at) VALUES (?, ?, ?)", [(u.update_id, seq, now) for seq, u in rows])


def insert_rows(db: sqlite3.Connection, updates: Sequence[Incoming], stored: float, *, attempts: int) -> list[tuple[int, Incoming]]:
    """Put updates at the end of the inbox; returns the number of each."""
    if not updates:
        return []
    rows = list(enumerate(updates, next_row(db)))
    db.executemany(
        "INSERT INTO inbox (seq, update_id, chat, stored, attempts) VALUES (?, ?, ?, ?, ?)",
        [(seq, u.update_id, u.key, stored, attempts) for seq, u in rows],
    )
    db.executemany("INSERT INTO body (seq, json) VALUES (?, ?)", [(seq, u.body) for seq, u in rows])
    return rows


def next_row(db: sqlite3.Connection) -> int:
    """The number of the next row of the inbox.

    Raises:
        Unreadable: there is none.
    """
    first = int(db.execute("SELECT coalesce(max(seq), 0) FROM inbox").fetchone()[0]) + 1
    if first >= MOST_NUMBER:
        raise Unreadable(f"the rows of its inbox are numbered up to {first - 1}")
    return first


def bury_row(db: sqlite3.Connection, seq: int, reason: str, now: float, *, handed_out: int) -> int:
    """Move an update from the inbox to the dead letters; `handed_out` adds the attempt that is not counted yet. Returns the letter's id."""
    letter = db.execute(
        """INSERT INTO dead_letter (update_id, chat, stored, died, attempts, reason, json)
            SELECT update_id, chat, stored, ?, attempts + ?, ?, json FROM inbox JOIN body USING (seq) WHERE seq = ?""",
        (now, handed_out, storable(reason), seq),
    ).lastrowid
    db.execute("UPDATE inbox SET state = 'done' WHERE seq = ?", (seq,))
    assert letter is not None
    return letter


def set_aside(db: sqlite3.Connection, now: float) -> None:
    """Move the updates whose rows are damaged from the inbox to the dead letters, so that all others are handled."""
    sql = f"SELECT typeof(json), {', '.join(_INBOX)} FROM inbox LEFT JOIN body USING (seq) WHERE state <> 'done' OR seq NOT BETWEEN 1 AND ?"
    damaged: list[tuple[int, list[Any], str]] = []
    for kind, *row in db.execute(sql, (MOST_NUMBER,)):
        values, faults = read_row("inbox", _INBOX, row)
        if faults or kind != "blob":
            damaged.append((row[0], values, faults or "the update itself is missing"))
    for seq, values, faults in damaged:
        body = db.execute("SELECT json FROM body WHERE seq = ?", (seq,)).fetchone()
        letter = bury_values(db, dict(zip(_INBOX, values, strict=True)), body[0] if body else None, faults, now)
        db.execute("DELETE FROM inbox WHERE seq = ?", (seq,))
        db.execute("DELETE FROM body WHERE seq = ?", (seq,))
        _log.error("an update in the state file is damaged (%s), and cannot be handled: see syncbot dead-letters show %d", faults, letter)


def sound(found: tuple[Any, ...]) -> tuple[int, int, str, float, int, bytes, int]:
    """A row that may be handed out; one that was damaged since `recover` is found here, and set aside at the next start.

    Raises:
        Unreadable: it is damaged.
    """
    seq, update_id, chat, stored, attempts, body, has_steps = found
    if type(update_id) is int and type(chat) is str and type(stored) is float and type(attempts) is int and type(body) is bytes:
        return seq, update_id, chat, stored, attempts, body, has_steps
    raise Unreadable(f"row {seq} of its inbox")


def bury_values(db: sqlite3.Connection, inbox: Mapping[str, Any], body: object, faults: str, now: float) -> int:
    """Write a dead letter of what can be read of a damaged row of the inbox; returns its id."""
    update = body.encode("utf-8", "replace") if isinstance(body, str) else body if isinstance(body, bytes) else b"null"
    letter = db.execute(
        "INSERT INTO dead_letter (update_id, chat, stored, died, attempts, reason, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (inbox["update_id"], inbox["chat"], inbox["stored"], now, inbox["attempts"], f"its row in the state file was damaged: {faults}", update),
    ).lastrowid
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
    return fact(row[0], name) if row else 0


def set_number(db: sqlite3.Connection, name: str, value: int) -> None:
    """Set one of the store's own numbers."""
    db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, encode(value, name)))
