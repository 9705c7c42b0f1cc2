# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The outbox in the database. Claims are made one after the other, whoever makes them: what one takes is seen by the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from syncbot.storage.codec import LAST_TIME, EncodedCall, Unreadable, decode, decode_object, encode_call, storable
from syncbot.storage.postgres.sending.outbox_files import PgOutboxFiles
from syncbot.storage.postgres.server.database import CommitUnknown, PgDatabase, Row
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.outbox import (
    EXPIRED,
    LEASE_RAN_OUT,
    LONGEST_PUT_OFF_SECONDS,
    OutboxCall,
    OutboxItem,
    OutboxState,
    Outlook,
    aged_since,
    check_held_state,
)

CLAIMS = 0x53594E43
"""With the bot: the advisory lock under which calls are claimed ("SYNC")."""
_ACTIVE = "state IN ('queued', 'claimed', 'sending')"  # as in the index
_HELD = "state IN ('uncertain', 'failed')"
_OWNED = "bot = %(bot)s AND id = %(id)s AND owner = %(owner)s AND state IN ('claimed', 'sending', 'uncertain')"
_COLUMNS = "id, method, params, chat, files, not_before, expires, state, attempts, created, reason, owner, lease_until"
_SELECT = f"SELECT {_COLUMNS} FROM syncbot.outbox"
_DAMAGED = "its row in the database is damaged: "
# Of leases two machines must think the same: they go by the database's clock, whatever the machines' say.
_CLOCK = "coalesce(%(clock)s::float8, extract(epoch FROM statement_timestamp())::float8)"
# It is the first of its key that is not settled.
_ITS_TURN = f"(o.chat = '' OR NOT EXISTS (SELECT 1 FROM syncbot.outbox AS e WHERE e.bot = o.bot AND e.chat = o.chat AND e.id < o.id AND e.{_ACTIVE}))"
_OVER_BY_NOW = "expires <= %(now)s AND created >= %(aged_since)s"
_LIVES = f"(expires IS NULL OR NOT ({_OVER_BY_NOW}))"
_DUE = f"CASE WHEN o.reason <> '' AND o.not_before > %(now)s + {LONGEST_PUT_OFF_SECONDS} THEN 0 ELSE o.not_before END"
_OF_THIS_BOT = f"bot = %(bot)s AND {_ACTIVE}"
_ABANDON = f"""WITH unsure AS (
        UPDATE syncbot.outbox SET state = 'uncertain', reason = %(ran_out)s
        WHERE {_OF_THIS_BOT} AND state = 'sending' AND owner = %(owner)s RETURNING 1),
    unsent AS (
        UPDATE syncbot.outbox SET state = 'queued', owner = '', lease_until = 0
        WHERE {_OF_THIS_BOT} AND state = 'claimed' AND owner = %(owner)s RETURNING 1)
    SELECT (SELECT count(*) FROM unsure) + (SELECT count(*) FROM unsent)"""
_RUN_OUT = f"""WITH own AS (
        UPDATE syncbot.outbox SET lease_until = {_CLOCK} + %(lease)s::float8
        WHERE {_OF_THIS_BOT} AND state = 'sending' AND lease_until <= {_CLOCK} AND owner = %(owner)s),
    again AS (
        UPDATE syncbot.outbox SET state = 'queued', owner = '', lease_until = 0, not_before = 0, reason = ''
        WHERE {_OF_THIS_BOT} AND state = 'sending' AND lease_until <= {_CLOCK} AND owner <> %(owner)s
            AND %(again)s AND {_LIVES}),
    unsure AS (
        UPDATE syncbot.outbox SET state = 'uncertain', reason = %(ran_out)s
        WHERE {_OF_THIS_BOT} AND state = 'sending' AND lease_until <= {_CLOCK} AND owner <> %(owner)s
            AND NOT (%(again)s AND {_LIVES}))
    UPDATE syncbot.outbox SET state = 'queued', owner = '', lease_until = 0 WHERE {_OF_THIS_BOT} AND state = 'claimed' AND lease_until <= {_CLOCK}"""
"""What becomes of leases that have run out, in one trip: what the one who claims is sending stays its own, for it lives."""
_IS_NO_TIME = f"not_before NOT BETWEEN 0 AND {LAST_TIME}"
_EXPIRE = f"""UPDATE syncbot.outbox SET state = 'failed', reason = CASE WHEN {_IS_NO_TIME} THEN %(no_time)s ELSE %(expired)s END
    WHERE bot = %(bot)s AND {_ACTIVE} AND state = 'queued' AND ({_OVER_BY_NOW} OR {_IS_NO_TIME})"""
_CLAIM = f"""UPDATE syncbot.outbox AS c SET state = 'claimed', owner = %(owner)s, lease_until = {_CLOCK} + %(lease)s::float8
    WHERE c.bot = %(bot)s AND c.id IN (
        SELECT o.id FROM syncbot.outbox AS o WHERE o.bot = %(bot)s AND o.{_ACTIVE} AND o.state = 'queued' AND {_DUE} <= %(now)s AND {_ITS_TURN}
        ORDER BY o.id LIMIT %(limit)s)
    RETURNING {_COLUMNS}"""
_OUTLOOK = f"""SELECT CASE o.state WHEN 'queued' THEN '' ELSE o.owner END AS holder,
        min(CASE o.state WHEN 'queued' THEN {_DUE} ELSE %(now)s::float8 + (o.lease_until - {_CLOCK}) END)
    FROM syncbot.outbox AS o WHERE o.bot = %(bot)s AND o.{_ACTIVE} AND (o.state <> 'queued' OR {_ITS_TURN}) GROUP BY holder ORDER BY holder"""
_PUT = """INSERT INTO syncbot.outbox (bot, chat, method, params, files, created, not_before, expires, state)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'queued') RETURNING id"""
"""Queues a call; see `put_values`."""


class PgOutbox:
    """`syncbot.storage.promises.queues.OutboxQueue` in PostgreSQL.

    Args:
        database: the database.
        now: seconds since 1970.
        clock: the same instead of the database's clock, for tests.
        files: told of each that is about to claim.
    """

    def __init__(self, database: PgDatabase, now: Callable[[], float], clock: Callable[[], float | None], files: PgOutboxFiles) -> None:
        self._database = database
        self._now = now
        self._clock = clock
        self._files = files

    def put(self, *calls: OutboxCall) -> list[int]:
        encoded = [encode_call(call) for call in calls]
        if not encoded:
            return []
        ids: list[int] = []
        try:
            with self._database.transaction() as db:
                ids += queue_calls(db, self._database.bot, encoded, self._now())
        except CommitUnknown as unknown:  # whoever queues must not do so twice
            self._database.check_committed(unknown)
        self._database.news.tell()
        return ids

    def claim(self, owner: str, *, lease: float, limit: int = 1, again: bool = False) -> list[OutboxItem]:
        now = self._now()
        values = {"bot": self._database.bot, "now": now, "aged_since": aged_since(now), "clock": self._clock(), "owner": owner, "lease": lease, "limit": limit}
        values |= {"again": again, "expired": EXPIRED, "ran_out": LEASE_RAN_OUT, "no_time": f"{_DAMAGED}not_before is no time"}
        items: list[OutboxItem] = []
        self._files.renew(owner)
        with self._database.transaction() as db:
            db.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", (CLAIMS, self._database.bot))
            db.execute(_RUN_OUT, values)
            db.execute(_EXPIRE, values)
            for item, faults in map(_item, sorted(db.execute(_CLAIM, values).fetchall())):
                if faults:  # the others go on
                    sql = "UPDATE syncbot.outbox SET state = 'failed', reason = %s WHERE bot = %s AND id = %s"
                    db.execute(sql, (storable(_DAMAGED + faults), self._database.bot, item.id))
                else:
                    items.append(item)
        return items

    def sending(self, id: int, owner: str, *, lease: float, further: bool = False) -> bool:
        with self._database.transaction():  # what became of it is found out where the connection breaks
            return self._change(
                f"""UPDATE syncbot.outbox SET state = 'sending', attempts = attempts + 1, lease_until = {_CLOCK} + %(lease)s::float8
                    WHERE bot = %(bot)s AND id = %(id)s AND owner = %(owner)s AND state = %(before)s""",
                id=id,
                owner=owner,
                before="sending" if further else "claimed",
                clock=self._clock(),
                lease=lease,
            )

    def sent(self, id: int, owner: str) -> bool:
        return self._change(f"DELETE FROM syncbot.outbox WHERE {_OWNED}", id=id, owner=owner)

    def put_off(self, id: int, owner: str, *, until: float, reason: str = "") -> bool:
        sql = f"UPDATE syncbot.outbox SET state = 'queued', owner = '', lease_until = 0, not_before = %(until)s, reason = %(reason)s WHERE {_OWNED}"
        return self._change(sql, id=id, owner=owner, until=until, reason=storable(reason))

    def hold(self, id: int, owner: str, state: OutboxState, reason: str) -> bool:
        sql = f"UPDATE syncbot.outbox SET state = %(state)s, reason = %(reason)s WHERE {_OWNED}"
        return self._change(sql, id=id, owner=owner, state=str(check_held_state(state)), reason=storable(reason))

    def abandon(self, owner: str, *, again: bool = False) -> int:
        now = self._now()
        values = {"bot": self._database.bot, "owner": owner, "now": now, "aged_since": aged_since(now)}
        with self._database.transaction() as db:
            db.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", (CLAIMS, self._database.bot))
            count = int(db.execute(_ABANDON, values | {"ran_out": LEASE_RAN_OUT}).fetchall()[0][0])
            if again:
                db.execute(
                    f"""UPDATE syncbot.outbox SET state = 'queued', owner = '', lease_until = 0, not_before = 0, reason = ''
                        WHERE bot = %(bot)s AND owner = %(owner)s AND state = 'uncertain' AND {_LIVES}""",
                    values,
                )
        return count

    def entries(self, *states: OutboxState, limit: int = 100, after: int = 0) -> list[OutboxItem]:
        wanted = [str(state) for state in states or OutboxState]
        sql = f"{_SELECT} WHERE bot = %s AND id > %s AND state = ANY (%s) ORDER BY id LIMIT %s"
        return _items(self._database.rows(sql, (self._database.bot, after, wanted, limit)))

    def get(self, id: int) -> OutboxItem | None:
        return next(iter(_items(self._database.rows(f"{_SELECT} WHERE bot = %s AND id = %s", (self._database.bot, id)))), None)

    def counts(self) -> dict[OutboxState, int]:
        found: dict[str, int] = dict(self._database.rows("SELECT state, count(*) FROM syncbot.outbox WHERE bot = %s GROUP BY state", (self._database.bot,)))
        return {state: found.get(str(state), 0) for state in OutboxState}

    def outlook(self) -> Outlook:
        rows = self._database.rows(_OUTLOOK, {"bot": self._database.bot, "now": self._now(), "clock": self._clock()})
        return Outlook(min((time for _, time in rows), default=None), tuple(holder for holder, _ in rows if holder))

    def retry(self, id: int, *, expires: float | None = None) -> bool:
        found = self._change(
            f"""UPDATE syncbot.outbox SET state = 'queued', owner = '', lease_until = 0, not_before = 0, expires = %(expires)s, reason = ''
                WHERE bot = %(bot)s AND id = %(id)s AND {_HELD}""",
            id=id,
            expires=expires,
        )
        if found:
            self._database.news.tell()
        return found

    def drop(self, id: int) -> OutboxItem | None:
        dropped = next(iter(self._delete("id = %s AND state NOT IN ('claimed', 'sending')", id)), None)
        if dropped is not None:
            self._database.news.tell()
        return dropped

    def purge(self, older_than: float) -> list[OutboxItem]:
        now = self._now()
        return self._delete(f"created < %s AND created >= %s AND {_HELD}", now - older_than, aged_since(now))

    def _change(self, sql: str, **values: Any) -> bool:
        with self._database.reading() as db:
            return bool(db.execute(f"{sql} RETURNING id", values | {"bot": self._database.bot}).fetchall())

    def _delete(self, where: str, *values: float) -> list[OutboxItem]:
        sql = f"DELETE FROM syncbot.outbox WHERE bot = %s AND {where} RETURNING {_COLUMNS}"
        with self._database.transaction() as db:
            return _items(sorted(db.execute(sql, (self._database.bot, *values)).fetchall()))


def queue_calls(db: Connection, bot: int, calls: Sequence[EncodedCall], now: float) -> list[int]:
    """Queue these, inside the caller's transaction; returns their ids."""
    return [int(db.execute(_PUT, put_values(bot, call, now)).fetchall()[0][0]) for call in calls]


def put_values(bot: int, queued: EncodedCall, now: float) -> tuple[Any, ...]:
    """What the statement that queues a call takes."""
    call, params, files = queued
    return bot, storable(call.key), storable(call.method), params, files, now, call.not_before, call.expires


def _items(rows: list[Row]) -> list[OutboxItem]:
    """Calls; of a damaged one, what can be read of it, and its reason says so."""
    found = [_item(row) for row in rows]
    return [replace(item, reason=f"{item.reason} {_DAMAGED}{faults}".strip()) if faults else item for item, faults in found]


def _item(row: Row) -> tuple[OutboxItem, str]:
    """A call, and what is wrong with its row."""
    id, method, params, key, files, not_before, expires, state, attempts, created, reason, owner, lease_until = row
    try:
        found, names, faults = decode_object(params), decode(files), ""
        if not isinstance(names, list):
            raise Unreadable("is no JSON list")
    except Unreadable as problem:
        found, names, faults = {}, [], f"params or files {problem}"
    call = OutboxCall(method, found, key, tuple(names), not_before, expires)
    return OutboxItem(id, call, OutboxState(state), attempts, created, reason, owner, lease_until), faults
