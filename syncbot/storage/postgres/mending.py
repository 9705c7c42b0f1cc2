# ruff: noqa: S608 - statements are composed of the constants of this file only
"""Updates that nobody would handle, because something else has written into the tables, or a backup is of two moments: found, told of, and handled."""

from __future__ import annotations

import logging

from syncbot.storage.postgres.inbox_rows import WAIT, count_waiting, free_chats, lock_chats, lock_rows
from syncbot.storage.postgres.server.database import PgDatabase

_log = logging.getLogger(__name__)

_LANE = "CASE WHEN i.chat = '' THEN chr(1) || i.seq ELSE i.chat END"
_IS_THERE = "EXISTS (SELECT 1 FROM syncbot.member AS m WHERE m.bot = {row}.bot AND m.id = {row}.owner)"
_LEFT = f"(i.state NOT IN ('waiting', 'yielded', 'asking') OR (i.state = 'yielded' AND NOT {_IS_THERE.format(row='i')}))"
_LOOKED_INTO = f"CASE WHEN c.owner = 0 THEN c.since <= i.seq ELSE {_IS_THERE.format(row='c')} END"
UNHANDLED = f"""FROM syncbot.inbox AS i WHERE i.bot = %(bot)s AND (i.lane <> {_LANE} OR {_LEFT} OR (i.state = 'waiting'
    AND NOT EXISTS (SELECT 1 FROM syncbot.chat AS c WHERE c.bot = i.bot AND c.key = i.lane AND {_LOOKED_INTO})))"""
"""Those updates, in one moment of the database."""
LEFT_CHATS = f"FROM syncbot.chat AS c WHERE c.bot = %(bot)s AND c.owner <> 0 AND NOT {_IS_THERE.format(row='c')}"
"""Chats of members that are not there."""

_MEND_LANE = f"UPDATE syncbot.inbox AS i SET lane = {_LANE} WHERE i.bot = %(bot)s AND i.seq = ANY (%(rows)s) AND i.lane <> {_LANE}"
_MEND_STATE = f"""UPDATE syncbot.inbox AS i SET owner = 0,
        state = CASE WHEN EXISTS (SELECT 1 FROM syncbot.question AS q WHERE q.bot = i.bot AND q.seq = i.seq) THEN 'asking' ELSE 'waiting' END
    WHERE i.bot = %(bot)s AND i.seq = ANY (%(rows)s) AND {_LEFT}"""
_LET_WAIT = f"""INSERT INTO syncbot.chat AS c (bot, key, since) SELECT %(bot)s, lane, min(seq) FROM syncbot.inbox
    WHERE bot = %(bot)s AND lane = ANY (%(lanes)s) AND state = 'waiting' GROUP BY lane ORDER BY lane {WAIT}"""
# Both change together, so that what they differ by is the same at any moment.
_MISCOUNTED = """SELECT (SELECT count(*) FROM syncbot.inbox WHERE bot = %(bot)s AND state = 'waiting')
    - (SELECT coalesce(sum(waiting), 0)::bigint FROM syncbot.tally WHERE bot = %(bot)s)"""


def mend(database: PgDatabase) -> None:
    """Let them be handled; the bot's processes may be at work meanwhile.

    Raises:
        StorageError: it could not be looked at, or changed.
    """
    bot = database.bot
    found = database.rows(f"SELECT i.seq, i.lane, {_LANE} {UNHANDLED}", {"bot": bot})
    chats = database.rows(f"SELECT c.key {LEFT_CHATS}", {"bot": bot})
    if not found and not chats:
        return
    rows = [seq for seq, *_ in found]
    lanes = sorted({lane for _, *both in found for lane in both} | {key for (key,) in chats})
    where = {"bot": bot, "rows": rows, "lanes": lanes}
    with database.transaction() as db:
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended('syncbot mend', %s))", (bot,))  # two would both add what is miscounted
        lock_chats(db, bot, lanes)  # what is looked up from here on has all that others had written into these
        lock_rows(db, bot, rows)
        db.execute(_MEND_LANE, where)
        db.execute(_MEND_STATE, where)
        for (owner,) in db.execute(f"SELECT DISTINCT c.owner {LEFT_CHATS} AND c.key = ANY (%(lanes)s)", where).fetchall():
            free_chats(db, bot, lanes, owner)
        db.execute(_LET_WAIT, where)
        count_waiting(db, bot, int(db.execute(_MISCOUNTED, where).fetchall()[0][0]))
    _log.error(
        "%d updates (and %d chats) in the database %s would have been handled by nobody: something else has written into the schema syncbot, or a backup "
        "was put back in parts; they are handled now",
        len(rows),
        len(chats),
        database.place,
    )
    database.news.tell()
