# ruff: noqa: S608 - statements are composed of the constants of this file only
"""What becomes of what a dead member had; each statement runs inside its caller's transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from syncbot.errors import StorageError
from syncbot.storage.postgres.inbox_rows import bury_rows, end_rows, free_chats, lock_chats, wait_in_chats
from syncbot.storage.postgres.server.database import TRANSACTIONS, PgDatabase
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.postgres.server.schema import LOCK
from syncbot.storage.promises.inbox import DEATHS_ALONE, DIED_ALONE

_log = logging.getLogger(__name__)

# Its lease is over, or its session lock is free: then nobody else gets that while this transaction lasts.
_END = """DELETE FROM syncbot.member WHERE bot = %(bot)s AND id = %(id)s
    AND (%(certain)s OR lease_until < clock_timestamp() OR pg_try_advisory_xact_lock(%(lock)s)) RETURNING id"""
# Who froze between two statements of one round: the server waits for the next one, and does not call that idle in a transaction.
_CUT = """SELECT pg_terminate_backend(a.pid) FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.datname = current_database()
    WHERE l.locktype = 'advisory' AND l.database = a.datid AND l.objsubid = 2 AND l.classid::bigint = %s AND l.objid::bigint = hashint8(%s)::bigint & 4294967295
    AND a.usename = current_user AND a.state = 'active' AND a.wait_event = 'ClientRead'
    AND a.query_start < clock_timestamp() - current_setting('idle_in_transaction_session_timeout')::interval"""
_HANDLED = """SELECT i.seq, i.update_id, i.lane, i.alone, i.suspect FROM syncbot.chat AS c CROSS JOIN LATERAL (
        SELECT * FROM syncbot.inbox AS i WHERE i.bot = c.bot AND i.lane = c.key AND i.state = 'waiting' AND i.seq >= c.since
        ORDER BY i.seq LIMIT c.running) AS i
    WHERE c.bot = %s AND c.owner = %s AND c.owner <> 0 ORDER BY i.seq"""
_YIELDED = """UPDATE syncbot.inbox AS i SET owner = 0, attempts = attempts + 1, state = 'waiting'
    WHERE bot = %s AND owner = %s AND state = 'yielded' AND NOT EXISTS (SELECT 1 FROM syncbot.question AS q WHERE q.bot = i.bot AND q.seq = i.seq)
    RETURNING seq, update_id, lane"""
_SUSPECTED = "EXISTS (SELECT 1 FROM syncbot.inbox AS i WHERE i.bot = c.bot AND i.lane = c.key AND i.suspect <> 0)"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What a dead member had.

    Args:
        interrupted: row and id of the updates that were in a handler, or waiting for an answer.
        buried: the dead letters that came of it.
    """

    interrupted: tuple[tuple[int, int], ...] = ()
    buried: tuple[int, ...] = ()


def cut_off_frozen(database: PgDatabase) -> None:
    """End the bot's transactions in which nothing has come for as long as it may be: whatever they keep locked is free then. Others' work is left alone.

    A server may refuse that; then what froze holds up the take-over until its connection ends.
    """
    try:
        database.rows(_CUT, (TRANSACTIONS, database.bot))
    except StorageError as error:
        _log.info("what a frozen process keeps locked in the database cannot be freed: %s", error.__cause__ or error)


def take_over(db: Connection, bot: int, dead: int, taker: int, now: float, *, certain: bool = False) -> TakenOver | None:
    """Put back what a dead member has left unfinished, as the suspects' rules say; None where it is not dead, or somebody else has done it.

    Args:
        dead: the member.
        taker: who is to handle those that are suspected, one at a time.
        certain: it need not be looked at again whether it is dead.
    """
    if not db.execute(_END, {"bot": bot, "id": dead, "certain": certain, "lock": LOCK + dead}).fetchall():
        return None
    lanes = [lane for (lane,) in db.execute("SELECT key FROM syncbot.chat WHERE bot = %s AND owner = %s AND owner <> 0", (bot, dead)).fetchall()]
    lock_chats(db, bot, lanes)
    handled = db.execute(_HANDLED, (bot, dead)).fetchall()
    db.execute("UPDATE syncbot.inbox SET attempts = attempts + 1 WHERE bot = %s AND seq = ANY (%s)", (bot, [row[0] for row in handled]))
    buried: list[int] = []
    if len(handled) == 1:
        buried = _convict(db, bot, dead, handled[0], now)
    else:
        db.execute("UPDATE syncbot.inbox SET suspect = %s WHERE bot = %s AND seq = ANY (%s)", (dead, bot, [row[0] for row in handled]))
    # In a statement of its own: whoever has just answered has its question deleted, as the next ones see.
    db.execute("SELECT 1 FROM syncbot.inbox WHERE bot = %s AND owner = %s AND state = 'yielded' ORDER BY seq FOR UPDATE", (bot, dead))
    db.execute("UPDATE syncbot.inbox SET owner = 0, state = 'asking' WHERE bot = %s AND owner = %s AND state = 'yielded' AND " + _HAS_QUESTION, (bot, dead))
    yielded = db.execute(_YIELDED, (bot, dead)).fetchall()
    free_chats(db, bot, lanes, dead)
    wait_in_chats(db, bot, [(lane, seq) for seq, _, lane in yielded])
    adopt_suspects(db, bot, taker)
    return TakenOver(tuple(sorted((row[0], row[1]) for row in (*handled, *yielded))), tuple(buried))


def adopt_suspects(db: Connection, bot: int, taker: int) -> None:
    """Have a member handle, one at a time, those under suspicion that nobody is to handle."""
    db.execute(
        f"""UPDATE syncbot.chat AS c SET suspect = %(taker)s
            WHERE bot = %(bot)s AND key IN (SELECT lane FROM syncbot.inbox WHERE bot = %(bot)s AND suspect <> 0) AND {_SUSPECTED}
            AND suspect NOT IN (SELECT id FROM syncbot.member WHERE bot = %(bot)s)""",
        {"bot": bot, "taker": taker},
    )
    db.execute(f"UPDATE syncbot.chat AS c SET suspect = 0 WHERE bot = %s AND suspect <> 0 AND NOT {_SUSPECTED}", (bot,))


def free_unasked(db: Connection, bot: int) -> None:
    """Let what waits for an answer, and has no question, be handled again: it asks anew."""
    sql = f"UPDATE syncbot.inbox SET state = 'waiting' WHERE bot = %s AND owner = 0 AND state = 'asking' AND NOT {_HAS_QUESTION} RETURNING lane, seq"
    wait_in_chats(db, bot, db.execute(sql, (bot,)).fetchall())


_HAS_QUESTION = "EXISTS (SELECT 1 FROM syncbot.question AS q WHERE q.bot = inbox.bot AND q.seq = inbox.seq)"


def _convict(db: Connection, bot: int, dead: int, row: Sequence[int], now: float) -> list[int]:
    """One was alone in its handler: those that were suspected with it are cleared, and at too many deaths it is buried."""
    seq, _, _, alone, group = row
    if group:
        db.execute("UPDATE syncbot.inbox SET suspect = 0 WHERE bot = %s AND suspect = %s AND suspect <> 0 AND seq <> %s", (bot, group, seq))
    if alone + 1 < DEATHS_ALONE:
        db.execute("UPDATE syncbot.inbox SET suspect = %s, alone = %s WHERE bot = %s AND seq = %s", (group or dead, alone + 1, bot, seq))
        return []
    letters = bury_rows(db, bot, [(seq, DIED_ALONE)], now, handed_out=0)
    end_rows(db, bot, [seq])
    return letters
