"""The outbox in the database."""

from __future__ import annotations

from collections.abc import Sequence

from syncbot.storage.codec import EncodedCall
from syncbot.storage.postgres.pool import Connection


def queue_calls(db: Connection, bot: int, calls: Sequence[EncodedCall], now: float) -> list[int]:
    """Queue these, inside the caller's transaction; returns their ids."""
    sql = """INSERT INTO syncbot.outbox (bot, chat, method, params, files, created, not_before, expires, state)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'queued') RETURNING id"""
    return [
        int(db.execute(sql, (bot, call.key, call.method, params, files, now, call.not_before, call.expires)).fetchall()[0][0]) for call, params, files in calls
    ]
