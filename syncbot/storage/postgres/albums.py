"""Albums in the database's inbox; each statement runs inside its caller's transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from syncbot.storage.albums import LONGEST_SECONDS, ready_at, with_part
from syncbot.storage.postgres.inbox_rows import STILL_THERE, insert_waiting
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.inbox import Incoming

_log = logging.getLogger(__name__)

# One that was handed out once is complete: what its handler has done stands in the journal. Its row here is gone then.
_OPEN = """SELECT a.seq, a.began, i.json FROM syncbot.album AS a JOIN syncbot.inbox AS i USING (bot, seq)
    WHERE a.bot = %s AND a.name = %s AND i.chat = %s AND i.state = 'waiting' ORDER BY a.seq DESC LIMIT 1"""


def insert_with_albums(db: Connection, bot: int, updates: Sequence[Incoming], now: float) -> None:
    """Put updates at the end of the inbox; the messages of an album that is still collected to that."""
    plain: list[Incoming] = []
    for update in updates:
        if update.album:
            insert_waiting(db, bot, plain, now)
            plain = []
            _collect(db, bot, update, now)
        else:
            plain.append(update)
    insert_waiting(db, bot, plain, now)


def known_ids(db: Connection, bot: int, ids: Sequence[int], since: float) -> set[int]:
    """Which of these ids were seen since then, or are still in the inbox; nobody else stores for this bot's albums until the transaction ends."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('syncbot album', %s))", (bot,))
    sql = f"SELECT s.update_id FROM syncbot.seen AS s WHERE s.bot = %s AND s.update_id = ANY (%s) AND (s.at >= %s OR {STILL_THERE})"  # noqa: S608 - a constant
    return {id for (id,) in db.execute(sql, (bot, list(ids), since)).fetchall()}


def seconds_to_next(db: Connection, bot: int, now: float) -> float | None:
    """In how many seconds the next one is complete that waits for messages."""
    sql = "SELECT min(ready) FROM syncbot.album WHERE bot = %s AND ready > %s AND ready <= %s"
    [(ready,)] = db.execute(sql, (bot, now, now + LONGEST_SECONDS)).fetchall()
    return None if ready is None else ready - now


def forget_albums(db: Connection, bot: int, now: float) -> None:
    """Forget when albums were collected that are complete."""
    db.execute("DELETE FROM syncbot.album WHERE bot = %s AND ready NOT BETWEEN %s AND %s", (bot, now - LONGEST_SECONDS, now + LONGEST_SECONDS))


def _collect(db: Connection, bot: int, update: Incoming, now: float) -> None:
    # Whoever has the chat's row is about to hand the album out.
    db.execute("SELECT 1 FROM syncbot.chat WHERE bot = %s AND key = %s FOR UPDATE", (bot, update.key))
    found = db.execute(_OPEN, (bot, update.album, update.key)).fetchone()
    if found is not None:
        seq, began, body = found
        try:
            whole = with_part(body, update.body)
        except (ValueError, RecursionError) as problem:
            _log.error("an album in the database cannot be completed: %s", problem)
        else:
            db.execute("UPDATE syncbot.inbox SET json = %s WHERE bot = %s AND seq = %s", (whole, bot, seq))
            db.execute("UPDATE syncbot.album SET ready = %s WHERE bot = %s AND seq = %s", (ready_at(began, now), bot, seq))
            db.execute(
                """INSERT INTO syncbot.seen (bot, update_id, seq, at) VALUES (%s, %s, %s, %s)
                    ON CONFLICT (bot, update_id) DO UPDATE SET seq = excluded.seq, at = excluded.at""",
                (bot, update.update_id, seq, now),
            )
            return
    [seq] = insert_waiting(db, bot, [update], now)
    forget_albums(db, bot, now)
    db.execute(
        """INSERT INTO syncbot.album (bot, seq, name, lane, began, ready) SELECT bot, seq, %s, lane, %s, %s FROM syncbot.inbox WHERE bot = %s AND seq = %s""",
        (update.album, now, ready_at(now, now), bot, seq),
    )
