"""The journal in the database."""

from __future__ import annotations

from collections.abc import Sequence

from syncbot.storage.postgres.pool import Connection


def end_steps(db: Connection, bot: int, rows: Sequence[int]) -> None:
    """Forget the steps of what has ended, inside the caller's transaction."""
    db.execute("DELETE FROM syncbot.journal WHERE bot = %s AND seq = ANY (%s)", (bot, list(rows)))
