# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The outbox in the state file."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from syncbot.storage.codec import LAST_TIME, EncodedCall, encode_call, storable
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
from syncbot.storage.sqlite.database import Database, Row
from syncbot.storage.sqlite.shapes import read_row

_ACTIVE = "state IN ('queued', 'claimed', 'sending')"  # word for word as in the index, or SQLite does not use it
_HELD = "state IN ('uncertain', 'failed')"
_OWNED = "owner = ? AND state IN ('claimed', 'sending', 'uncertain')"
_NAMES = ("id", "method", "params", "chat", "files", "not_before", "expires", "state", "attempts", "created", "reason", "owner", "lease_until")
_SELECT = f"SELECT {', '.join(_NAMES)} FROM outbox"
_OVER = "lease_until NOT BETWEEN ? AND ?"
"""The lease has run out; a text is no number, and so not between."""
_OVER_BY_NOW = "expires <= ? AND created >= ?"
_LIVES = f"(expires IS NULL OR NOT ({_OVER_BY_NOW}))"
_DUE = "iif(reason <> '' AND not_before > ?, 0, not_before)"
_QUEUED = "UPDATE outbox SET state = 'queued', owner = '', lease_until = 0"
_AGAIN = f"{_QUEUED}, not_before = 0, reason = ''"
_DAMAGED = "its row in the state file is damaged: "
# It is the first of its key that is not settled.
_ITS_TURN = f"(o.chat = '' OR NOT EXISTS (SELECT 1 FROM outbox WHERE chat = o.chat AND id < o.id AND {_ACTIVE}))"
_CLAIMABLE = f"SELECT id FROM outbox AS o WHERE {_ACTIVE} AND state = 'queued' AND {_DUE} <= ? AND {_ITS_TURN} ORDER BY id LIMIT 1"


class SqlOutbox:
    """`syncbot.storage.promises.queues.OutboxQueue` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def put(self, *calls: OutboxCall) -> list[int]:
        encoded = [encode_call(call) for call in calls]
        if not encoded:
            return []
        with self._database.transaction(durable=True) as db:
            return queue_calls(db, encoded, self._now())

    def claim(self, owner: str, *, lease: float, limit: int = 1, again: bool = False) -> list[OutboxItem]:
        now = self._now()
        items: list[OutboxItem] = []
        over = math.nextafter(now, math.inf), LAST_TIME
        by_now = now, aged_since(now)
        with self._database.transaction() as db:
            db.execute(f"UPDATE outbox SET lease_until = ? WHERE {_ACTIVE} AND state = 'sending' AND owner = ? AND {_OVER}", (now + lease, owner, *over))
            if again:
                db.execute(f"{_AGAIN} WHERE {_ACTIVE} AND state = 'sending' AND {_OVER} AND {_LIVES}", (*over, *by_now))
            _recover(db, _OVER, *over)
            db.execute(f"UPDATE outbox SET state = 'failed', reason = ? WHERE {_ACTIVE} AND state = 'queued' AND {_OVER_BY_NOW}", (EXPIRED, *by_now))
            db.execute(
                f"UPDATE outbox SET state = 'failed', reason = ? WHERE {_ACTIVE} AND state = 'queued' AND not_before NOT BETWEEN 0 AND ?",
                (f"{_DAMAGED}not_before is no time", LAST_TIME),
            )
            while len(items) < limit and (found := db.execute(_CLAIMABLE, (now + LONGEST_PUT_OFF_SECONDS, now)).fetchone()):
                db.execute("UPDATE outbox SET state = 'claimed', owner = ?, lease_until = ? WHERE id = ?", (owner, now + lease, found[0]))
                item, faults = _item(db.execute(f"{_SELECT} WHERE id = ?", found).fetchone())
                if faults:  # the others go on
                    db.execute("UPDATE outbox SET state = 'failed', reason = ? WHERE id = ?", (_DAMAGED + faults, item.id))
                else:
                    items.append(item)
        return items

    def sending(self, id: int, owner: str, *, lease: float, further: bool = False) -> bool:
        sql = "UPDATE outbox SET state = 'sending', attempts = attempts + 1, lease_until = ? WHERE id = ? AND owner = ? AND state = ?"
        return self._change(sql, (self._now() + lease, id, owner, "sending" if further else "claimed"), durable=True)

    def sent(self, id: int, owner: str) -> bool:
        return self._change(f"DELETE FROM outbox WHERE id = ? AND {_OWNED}", (id, owner))

    def put_off(self, id: int, owner: str, *, until: float, reason: str = "") -> bool:
        sql = f"{_QUEUED}, not_before = ?, reason = ? WHERE id = ? AND {_OWNED}"
        return self._change(sql, (until, storable(reason), id, owner))

    def hold(self, id: int, owner: str, state: OutboxState, reason: str) -> bool:
        sql = f"UPDATE outbox SET state = ?, reason = ? WHERE id = ? AND {_OWNED}"
        return self._change(sql, (str(check_held_state(state)), storable(reason), id, owner))

    def abandon(self, owner: str, *, again: bool = False) -> int:
        now = self._now()
        with self._database.transaction(durable=again) as db:
            count = _recover(db, "owner = ?", owner)
            if again:
                db.execute(f"{_AGAIN} WHERE owner = ? AND state = 'uncertain' AND {_LIVES}", (owner, now, aged_since(now)))
            return count

    def entries(self, *states: OutboxState, limit: int = 100, after: int = 0) -> list[OutboxItem]:
        wanted = tuple(str(state) for state in states)
        among = f"state IN ({', '.join('?' * len(wanted))})" if wanted else "TRUE"
        return _items(self._database.rows(f"{_SELECT} WHERE id > ? AND {among} ORDER BY id LIMIT ?", (after, *wanted, limit)))

    def get(self, id: int) -> OutboxItem | None:
        return next(iter(_items(self._database.rows(f"{_SELECT} WHERE id = ?", (id,)))), None)

    def counts(self) -> dict[OutboxState, int]:
        found: dict[str, int] = dict(self._database.rows("SELECT state, count(*) FROM outbox GROUP BY state"))
        return {state: found.get(str(state), 0) for state in OutboxState}

    def outlook(self) -> Outlook:
        sql = f"""SELECT CASE state WHEN 'queued' THEN '' ELSE owner END AS holder,
                min(CAST(CASE state WHEN 'queued' THEN {_DUE} ELSE lease_until END AS REAL))
            FROM outbox AS o WHERE {_ACTIVE} AND (state <> 'queued' OR {_ITS_TURN}) GROUP BY holder ORDER BY holder"""
        rows = self._database.rows(sql, (self._now() + LONGEST_PUT_OFF_SECONDS,))
        return Outlook(
            min((time for _, time in rows if time is not None), default=None), tuple(holder for holder, _ in rows if holder and isinstance(holder, str))
        )

    def retry(self, id: int, *, expires: float | None = None) -> bool:
        return self._change(f"{_AGAIN}, expires = ? WHERE id = ? AND {_HELD}", (expires, id), durable=True)

    def drop(self, id: int) -> OutboxItem | None:
        return next(iter(self._delete("id = ? AND state NOT IN ('claimed', 'sending')", id)), None)

    def purge(self, older_than: float) -> list[OutboxItem]:
        now = self._now()
        return self._delete(f"created < ? AND created >= ? AND {_HELD}", now - older_than, aged_since(now))

    def _change(self, sql: str, parameters: Sequence[Any], *, durable: bool = False) -> bool:
        with self._database.transaction(durable=durable) as db:
            return db.execute(sql, parameters).rowcount == 1

    def _delete(self, where: str, *values: float) -> list[OutboxItem]:
        with self._database.transaction() as db:
            items = _items(db.execute(f"{_SELECT} WHERE {where} ORDER BY id", values).fetchall())
            db.execute(f"DELETE FROM outbox WHERE {where}", values)
        return items


def queue_calls(db: sqlite3.Connection, calls: Sequence[EncodedCall], now: float) -> list[int]:
    """Queue these, inside the caller's transaction; returns their ids."""
    sql = "INSERT INTO outbox (chat, method, params, files, created, not_before, expires, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'queued')"
    ids = [db.execute(sql, (call.key, call.method, params, files, now, call.not_before, call.expires)).lastrowid for call, params, files in calls]
    return [id for id in ids if id is not None]


def _recover(db: sqlite3.Connection, where: str, *values: float | str) -> int:
    """Take back what a deliverer had: queued again if nothing was sent, else uncertain (its owner stays noted: it may still report)."""
    uncertain = db.execute(f"UPDATE outbox SET state = 'uncertain', reason = ? WHERE {_ACTIVE} AND state = 'sending' AND {where}", (LEASE_RAN_OUT, *values))
    queued = db.execute(f"{_QUEUED} WHERE {_ACTIVE} AND state = 'claimed' AND {where}", values)
    return uncertain.rowcount + queued.rowcount


def _items(rows: list[Row]) -> list[OutboxItem]:
    """Calls; of a damaged one, what can be read of it, and its reason says so."""
    found = [_item(row) for row in rows]
    return [replace(item, reason=f"{item.reason} {_DAMAGED}{faults}".strip()) if faults else item for item, faults in found]


def _item(row: Row) -> tuple[OutboxItem, str]:
    """A call, and what is wrong with its row."""
    values, faults = read_row("outbox", _NAMES, row)
    _, method, params, key, files, not_before, expires, state, attempts, created, reason, owner, lease_until = values
    call = OutboxCall(method, params, key, files, not_before, expires)
    return OutboxItem(row[0], call, OutboxState(state), attempts, created, reason, owner, lease_until), faults
