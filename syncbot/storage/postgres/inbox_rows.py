# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The statements that the inbox and its neighbours share; each runs inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncbot.storage.codec import storable
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.promises.store import PLAUSIBLE_TIME, StoreOptions

# An update without a key has a chat of its own.
_LANE = "CASE WHEN chat = '' THEN chr(1) || seq ELSE chat END"
# The chat's row is locked in any case, so that who has it looks for what comes with it. While somebody has the chat, `since` is what is handled there.
WAIT = "ON CONFLICT (bot, key) DO UPDATE SET since = excluded.since WHERE c.since IS NULL OR (c.owner = 0 AND c.since > excluded.since)"
_COUNT = """INSERT INTO syncbot.tally AS t (bot, slot, waiting) SELECT %(bot)s, pg_backend_pid(), number FROM ({number}) AS n (number) WHERE number <> 0
    ON CONFLICT (bot, slot) DO UPDATE SET waiting = t.waiting + excluded.waiting"""
STILL_THERE = "EXISTS (SELECT 1 FROM syncbot.inbox AS i WHERE i.bot = s.bot AND i.seq = s.seq AND i.update_id = s.update_id)"
"""Whether the update of a remembered id is still to be handled; that it is in the window, or not, does not matter then."""
_GIVEN = """WITH given AS MATERIALIZED (
        SELECT update_id, chat, json, place, nextval('syncbot.inbox_seq') AS seq
        FROM unnest(%(ids)s::bigint[], %(chats)s::text[], %(bodies)s::bytea[]) WITH ORDINALITY AS g (update_id, chat, json, place)),"""
_REMEMBER = "INSERT INTO syncbot.seen AS s (bot, update_id, seq, at) SELECT %(bot)s, update_id, seq, %(now)s FROM given ORDER BY update_id"
_WRITE = f"""laid AS (
        INSERT INTO syncbot.inbox (bot, seq, update_id, chat, lane, stored, attempts, json)
        SELECT %(bot)s, seq, update_id, chat, {_LANE}, %(stored)s, %(attempts)s, json FROM given WHERE update_id IN (SELECT update_id FROM fresh)
        RETURNING lane, seq),
    chats AS (
        INSERT INTO syncbot.chat AS c (bot, key, since) SELECT %(bot)s, lane, min(seq) FROM laid GROUP BY lane ORDER BY lane {WAIT}),
    counted AS ({_COUNT.format(number="SELECT count(*) FROM laid")})"""
STORE = f"""{_GIVEN}
    fresh AS ({_REMEMBER} ON CONFLICT (bot, update_id) DO UPDATE SET seq = excluded.seq, at = excluded.at WHERE s.at < %(since)s AND NOT {STILL_THERE}
        RETURNING update_id),
    {_WRITE} SELECT count(*) FROM laid"""
"""Stores those of a batch that are new, in one statement, and says how many these were."""
_END = f"""WITH ended AS (DELETE FROM syncbot.inbox WHERE bot = %(bot)s AND seq = ANY (%(rows)s) RETURNING state),
    steps AS (DELETE FROM syncbot.journal WHERE bot = %(bot)s AND seq = ANY (%(rows)s)),
    questions AS (DELETE FROM syncbot.question WHERE bot = %(bot)s AND seq = ANY (%(rows)s))
    {_COUNT.format(number="SELECT -count(*) FROM ended WHERE state = 'waiting'")}"""
_PUT = f"""{_GIVEN}
    fresh AS ({_REMEMBER} ON CONFLICT (bot, update_id) DO UPDATE SET seq = excluded.seq, at = excluded.at RETURNING update_id),
    {_WRITE} SELECT seq FROM laid ORDER BY seq"""


def batch(bot: int, updates: Sequence[Incoming], now: float) -> dict[str, object]:
    """What `STORE` takes, but for `since`."""
    return {
        "bot": bot,
        "ids": [update.update_id for update in updates],
        "chats": [update.key for update in updates],
        "bodies": [update.body for update in updates],
        "now": now,
        "stored": now,
        "attempts": 0,
    }


def insert_waiting(db: Connection, bot: int, updates: Sequence[Incoming], now: float, *, stored: float | None = None, attempts: int = 0) -> list[int]:
    """Put updates at the end of the inbox and remember their ids; returns their numbers."""
    if not updates:
        return []
    values = batch(bot, updates, now) | {"stored": now if stored is None else stored, "attempts": attempts}
    return [int(seq) for (seq,) in db.execute(_PUT, values).fetchall()]


def insert_run(db: Connection, bot: int, order: str, body: bytes, now: float) -> int:
    """Put the run of a job at the end of the inbox, with an id below 0 that no update has; returns its number."""
    [(seq,)] = db.execute("SELECT nextval('syncbot.inbox_seq')").fetchall()
    lane = order or f"\x01{seq}"
    db.execute(
        "INSERT INTO syncbot.inbox (bot, seq, update_id, chat, lane, stored, json) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (bot, seq, -seq, order, lane, now, body),
    )
    wait_in_chats(db, bot, [(lane, seq)])
    return int(seq)


def wait_in_chats(db: Connection, bot: int, rows: Iterable[tuple[str, int]]) -> None:
    """These wait for a worker from now on: lane and number of each, whose state says so already."""
    first: dict[str, int] = {}
    number = 0
    for lane, seq in rows:
        first[lane] = min(seq, first.get(lane, seq))
        number += 1
    if first:
        db.execute(
            f"""INSERT INTO syncbot.chat AS c (bot, key, since) SELECT %s, lane, seq FROM unnest(%s::text[], %s::bigint[]) AS w (lane, seq)
                ORDER BY lane {WAIT}""",
            (bot, list(first), list(first.values())),
        )
        count_waiting(db, bot, number)


def count_waiting(db: Connection, bot: int, more: int) -> None:
    """So many more wait in chats, or are handled there; each connection counts in a row of its own, so that nobody waits for another."""
    if more:
        db.execute(_COUNT.format(number="SELECT %(more)s::bigint"), {"bot": bot, "more": more})


def lock_chats(db: Connection, bot: int, lanes: Iterable[str]) -> None:
    """Have nobody change these until the transaction ends. What is looked up in a later statement has all that others have written before."""
    db.execute("SELECT 1 FROM syncbot.chat WHERE bot = %s AND key = ANY (%s) ORDER BY key FOR UPDATE", (bot, list(lanes)))


def lock_rows(db: Connection, bot: int, rows: Iterable[int]) -> None:
    """Have nobody change these until the transaction ends, as `lock_chats` does, which comes first."""
    db.execute("SELECT 1 FROM syncbot.inbox WHERE bot = %s AND seq = ANY (%s) ORDER BY seq FOR UPDATE", (bot, list(rows)))


def free_chats(db: Connection, bot: int, lanes: Sequence[str], member: int) -> None:
    """Nobody handles anything in these (which the caller has locked, and `member` had) any more; what waits there has its turn."""
    if lanes:
        where = {"bot": bot, "lanes": list(lanes), "member": member}
        waits = "FROM syncbot.inbox AS i WHERE i.bot = c.bot AND i.lane = c.key"
        db.execute(
            f"""UPDATE syncbot.chat AS c SET owner = 0, running = 0, since = (SELECT min(seq) {waits} AND i.state = 'waiting'),
                    suspect = CASE WHEN EXISTS (SELECT 1 {waits} AND i.suspect <> 0) THEN c.suspect ELSE 0 END
                WHERE c.bot = %(bot)s AND c.key = ANY (%(lanes)s) AND c.owner = %(member)s""",
            where,
        )
        db.execute("DELETE FROM syncbot.chat WHERE bot = %(bot)s AND key = ANY (%(lanes)s) AND owner = 0 AND since IS NULL", where)


def bury_rows(db: Connection, bot: int, reasons: Sequence[tuple[int, str]], now: float, *, handed_out: int) -> list[int]:
    """Copy updates from the inbox to the dead letters; `handed_out` adds the attempt that is not counted yet. Returns the letters' ids."""
    if not reasons:
        return []
    rows = db.execute(
        """INSERT INTO syncbot.dead_letter (bot, update_id, chat, stored, died, attempts, reason, json)
            SELECT i.bot, i.update_id, i.chat, i.stored, %s, i.attempts + %s, r.reason, i.json
            FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY AS r (seq, reason, place) JOIN syncbot.inbox AS i ON i.bot = %s AND i.seq = r.seq
            ORDER BY r.place RETURNING id""",
        (now, handed_out, [seq for seq, _ in reasons], [storable(reason) for _, reason in reasons], bot),
    ).fetchall()
    return [int(id) for (id,) in rows]


def end_rows(db: Connection, bot: int, rows: Sequence[int]) -> None:
    """Take updates out that wait, or are handled, in chats which the caller has locked, and what stands beside them."""
    db.execute(_END, {"bot": bot, "rows": list(rows)})


def forget_ids(db: Connection, bot: int, since: float, limit: int) -> None:
    """Keep to the window's bounds of time and number; an id stays as long as its update does."""
    db.execute(f"DELETE FROM syncbot.seen AS s WHERE s.bot = %s AND s.at < %s AND NOT {STILL_THERE}", (bot, since))
    db.execute(
        f"""DELETE FROM syncbot.seen AS s WHERE s.bot = %s AND NOT {STILL_THERE}
            AND s.seq <= (SELECT seq FROM syncbot.seen WHERE bot = %s ORDER BY seq DESC LIMIT 1 OFFSET %s)""",
        (bot, bot, limit),
    )


def forget_dead_letters(db: Connection, bot: int, now: float, options: StoreOptions) -> None:
    """Keep to the bounds of number and age."""
    db.execute("DELETE FROM syncbot.dead_letter WHERE bot = %s AND died < %s AND died > %s", (bot, now - options.dead_seconds, PLAUSIBLE_TIME))
    db.execute(
        "DELETE FROM syncbot.dead_letter WHERE bot = %s AND id <= (SELECT id FROM syncbot.dead_letter WHERE bot = %s ORDER BY id DESC LIMIT 1 OFFSET %s)",
        (bot, bot, options.dead_limit),
    )


def fold_tally(db: Connection, bot: int) -> None:
    """Add up what connections have counted that are no more."""
    db.execute(
        """WITH gone AS (DELETE FROM syncbot.tally WHERE bot = %(bot)s AND slot <> 0 AND slot NOT IN (SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL)
                RETURNING waiting)
            INSERT INTO syncbot.tally AS t (bot, slot, waiting) SELECT %(bot)s, 0, coalesce(sum(waiting), 0) FROM gone
            ON CONFLICT (bot, slot) DO UPDATE SET waiting = t.waiting + excluded.waiting""",
        {"bot": bot},
    )
