"""Albums in the state file's inbox; each statement runs inside its caller's transaction."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence

from syncbot.storage.albums import LONGEST_SECONDS, ready_at, with_part
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.sqlite.inbox_rows import insert_waiting

_log = logging.getLogger(__name__)

# One that was handed out once is complete: what its handler has done stands in the journal.
_OPEN = """SELECT seq, began, json FROM album JOIN inbox USING (seq) JOIN body USING (seq)
    WHERE album.name = ? AND chat = ? AND state = 'waiting' AND run = 0 ORDER BY seq DESC LIMIT 1"""
_HELD = "SELECT chat, seq, ready FROM album JOIN inbox USING (seq) WHERE state = 'waiting' AND ready > ? AND ready <= ?"


def insert_with_albums(db: sqlite3.Connection, updates: Sequence[Incoming], now: float) -> None:
    """Put updates at the end of the inbox; the messages of an album that is still collected to that."""
    plain: list[Incoming] = []
    for update in updates:
        if update.album:
            insert_waiting(db, plain, now)
            plain = []
            _collect(db, update, now)
        else:
            plain.append(update)
    insert_waiting(db, plain, now)


def held(db: sqlite3.Connection, now: float) -> list[tuple[str, int, float]]:
    """The albums that wait for messages: chat, row, and when they are complete."""
    return db.execute(_HELD, (now, now + LONGEST_SECONDS)).fetchall()


def forget_albums(db: sqlite3.Connection, now: float) -> None:
    """Forget when albums were collected that are complete."""
    db.execute("DELETE FROM album WHERE ready NOT BETWEEN ? AND ?", (now - LONGEST_SECONDS, now + LONGEST_SECONDS))


def _collect(db: sqlite3.Connection, update: Incoming, now: float) -> None:
    found = db.execute(_OPEN, (update.album, update.key)).fetchone()
    if found is not None:
        seq, began, body = found
        try:
            whole = with_part(body, update.body)
            ready = ready_at(began, now)
        except (ValueError, TypeError, RecursionError) as problem:  # its row is damaged, which is told when it is handed out
            _log.error("an album in the state file cannot be completed: %s", problem)
        else:
            db.execute("UPDATE body SET json = ? WHERE seq = ?", (whole, seq))
            db.execute("UPDATE album SET ready = ? WHERE seq = ?", (ready, seq))
            db.execute("INSERT OR REPLACE INTO seen (update_id, seq, at) VALUES (?, ?, ?)", (update.update_id, seq, now))
            return
    insert_waiting(db, [update], now)
    forget_albums(db, now)
    db.execute("INSERT INTO album (seq, name, began, ready) SELECT max(seq), ?, ?, ? FROM inbox", (update.album, now, ready_at(now, now)))
