# ruff: noqa: S608 - statements are composed of the constants of this file only
"""Which updates are handed out next: chats are taken in one statement, and what waits in them is read in another one, which sees all that came before."""

from __future__ import annotations

from typing import Any, NamedTuple

from syncbot.storage.albums import LONGEST_SECONDS
from syncbot.storage.postgres.inbox_rows import free_chats
from syncbot.storage.postgres.server.pool import Connection

# An album that still waits for messages holds up what comes behind it in its chat.
_COLLECTED = (
    "EXISTS (SELECT 1 FROM syncbot.album AS a WHERE a.bot = %(bot)s AND a.lane = {lane} AND a.seq <= {seq} AND a.ready > %(now)s AND a.ready <= %(end)s)"
)
_SUSPECT = "FROM syncbot.chat WHERE bot = %(bot)s AND suspect = %(member)s AND suspect <> 0 AND owner = 0 AND since IS NOT NULL"
_TAKE = f"""WITH suspect AS MATERIALIZED (SELECT key {_SUSPECT} AND %(is_idle)s ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED),
    plain AS MATERIALIZED (
        SELECT key FROM syncbot.chat AS c WHERE bot = %(bot)s AND owner = 0 AND suspect = 0 AND since IS NOT NULL
            AND NOT EXISTS (SELECT 1 {_SUSPECT}) AND NOT {_COLLECTED.format(lane="c.key", seq="c.since")}
        ORDER BY since LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE syncbot.chat AS c SET owner = %(member)s, running = 1
        WHERE c.bot = %(bot)s AND c.key = ANY (ARRAY(SELECT key FROM suspect UNION ALL SELECT key FROM plain))
        RETURNING c.key, c.since, c.suspect <> 0 AS alone)
    SELECT set_config('syncbot.taken', coalesce(json_agg(taken), '[]')::text, true) FROM taken"""
_IS_NUMBER = "length(i.chat) < 19 AND i.chat ~ '^-?[0-9]+$'"
_READ = f"""SELECT t.key, i.seq, i.update_id, i.chat, i.stored, i.attempts, i.json, t.alone,
        EXISTS (SELECT 1 FROM syncbot.album AS a WHERE a.bot = i.bot AND a.seq = i.seq),
        EXISTS (SELECT 1 FROM syncbot.question AS q WHERE q.bot = i.bot AND q.chat = CASE WHEN {_IS_NUMBER} THEN i.chat::bigint END),
        EXISTS (SELECT 1 FROM syncbot.journal AS j WHERE j.bot = i.bot AND j.seq = i.seq)
    FROM json_to_recordset(current_setting('syncbot.taken')::json) AS t (key text, since bigint, alone boolean) LEFT JOIN LATERAL (
        SELECT * FROM syncbot.inbox AS i WHERE i.bot = %(bot)s AND i.lane = t.key AND i.state = 'waiting' AND i.seq >= t.since
            AND (t.alone OR NOT {_COLLECTED.format(lane="t.key", seq="i.seq")})
        ORDER BY i.seq LIMIT CASE WHEN t.alone THEN 1 ELSE %(per_key)s END) AS i ON true
    ORDER BY t.since, i.seq"""


class Wanted(NamedTuple):
    """What is to be handed out.

    Args:
        member: who handles it.
        limit: of how many chats.
        per_key: how many of each.
        is_idle: whether it handles nothing now, so that it may begin what is under suspicion.
        now: the time.
    """

    member: int
    limit: int
    per_key: int
    is_idle: bool
    now: float


class HandedOut(NamedTuple):
    """A row of the inbox that is handed out."""

    seq: int
    update_id: int
    chat: str
    stored: float
    attempts: int
    json: bytes
    alone: bool
    is_album: bool
    is_awaited: bool
    has_steps: bool


def hand_out(db: Connection, bot: int, wanted: Wanted) -> list[HandedOut]:
    """Take chats for a member, and read what it is to handle, the oldest first; inside the caller's transaction.

    What is taken goes from the one statement to the next within the database: both are asked in one round trip.
    """
    values: dict[str, Any] = {"bot": bot, "end": wanted.now + LONGEST_SECONDS, **wanted._asdict()}
    db.execute(_TAKE, values)
    rows: list[HandedOut] = []
    numbers: dict[str, int] = {}
    for lane, *row in db.execute(_READ, values).fetchall():
        numbers[lane] = numbers.get(lane, 0) + (row[0] is not None)
        if row[0] is not None:
            rows.append(HandedOut(*row))
    _correct(db, bot, wanted.member, numbers)
    if albums := [row.seq for row in rows if row.is_album]:  # whatever comes now is another update
        db.execute("DELETE FROM syncbot.album WHERE bot = %s AND seq = ANY (%s)", (bot, albums))
    return rows


def _correct(db: Connection, bot: int, member: int, numbers: dict[str, int]) -> None:
    """Write down of which chats more than one is handled, and leave those in which nothing was found."""
    runs = {lane: number for lane, number in numbers.items() if number > 1}
    if runs:
        db.execute(
            """UPDATE syncbot.chat AS c SET running = r.number FROM unnest(%s::text[], %s::integer[]) AS r (key, number)
                WHERE c.bot = %s AND c.key = r.key AND c.owner = %s""",
            (list(runs), list(runs.values()), bot, member),
        )
    free_chats(db, bot, [lane for lane, number in numbers.items() if not number], member)
