"""Copies of the files of queued calls, in pieces, for machines that share no folder; and the locks by which a deliverer shows that it lives."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import psycopg

from syncbot.errors import StorageError
from syncbot.process import forks
from syncbot.storage.postgres.server.database import PgDatabase
from syncbot.storage.postgres.server.pg_errors import explained
from syncbot.storage.postgres.server.pool import Connection, abandon, is_alive

PIECE_BYTES = 256 * 1024
_STRAY_AFTER_SECONDS = 86_400
"""A copy that no call speaks of may still be on its way into the queue when it is younger than this."""
_DELIVERERS = 0x53594E44
"""With a deliverer's name: the advisory lock that it holds while it lives ("SYND")."""
WRITE = "INSERT INTO syncbot.outbox_file (bot, name, number, piece) VALUES (%s, %s, %s, %s)"
"""Keeps one piece."""


class PgOutboxFiles:
    """`syncbot.storage.promises.queues.OutboxFiles` in PostgreSQL.

    Args:
        database: the database.
    """

    def __init__(self, database: PgDatabase) -> None:
        self._database = database
        self._living: dict[str, LivingDeliverer] = {}

    def write(self, chunks: Iterable[bytes]) -> str:
        name = uuid.uuid4().hex
        try:
            for number, piece in enumerate(pieces_of(chunks)):
                with self._database.reading() as db:  # none waits in a transaction for the next piece
                    db.execute(WRITE, (self._database.bot, name, number, piece))
        except BaseException:
            with suppress(StorageError):  # it is swept later
                self.remove((name,))
            raise
        return name

    def size(self, name: str) -> int | None:
        sql = "SELECT sum(octet_length(piece)) FROM syncbot.outbox_file WHERE bot = %s AND name = %s"
        [(size,)] = self._database.rows(sql, (self._database.bot, name))
        return None if size is None else int(size)

    def pieces(self, name: str) -> Iterator[bytes]:
        sql = "SELECT piece FROM syncbot.outbox_file WHERE bot = %s AND name = %s AND number = %s"
        number = 0
        while rows := self._database.rows(sql, (self._database.bot, name, number)):
            yield bytes(rows[0][0])
            number += 1

    def remove(self, names: tuple[str, ...]) -> None:
        if names:
            with self._database.reading() as db:
                db.execute("DELETE FROM syncbot.outbox_file WHERE bot = %s AND name = ANY (%s)", (self._database.bot, list(names)))

    def sweep(self) -> None:
        with self._database.reading() as db:
            db.execute(
                """DELETE FROM syncbot.outbox_file AS f WHERE f.bot = %(bot)s AND f.name IN (
                    SELECT name FROM syncbot.outbox_file WHERE bot = %(bot)s AND number = 0 AND at < clock_timestamp() - make_interval(secs => %(seconds)s)
                    EXCEPT SELECT jsonb_array_elements_text(files::jsonb) FROM syncbot.outbox WHERE bot = %(bot)s AND files <> '[]')""",
                {"bot": self._database.bot, "seconds": _STRAY_AFTER_SECONDS},
            )

    def lock(self, owner: str) -> LivingDeliverer:
        living = self._living[owner] = LivingDeliverer(self._database, owner, lambda: self._living.pop(owner, None))
        return living

    def renew(self, owner: str) -> None:
        """A deliverer is about to claim: take its lock anew where its connection has broken.

        Raises:
            StorageError: the database cannot be used.
        """
        living = self._living.get(owner)
        if living is not None:
            living.renew()

    def is_dead(self, owner: str) -> bool:
        with self._database.transaction() as db:
            return bool(db.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (_DELIVERERS, owner)).fetchall()[0][0])


class LivingDeliverer:
    """The lock of a deliverer, on a connection of its own, which ends with its process. Should the connection break, its calls are taken for a dead one's:
    what it has not begun to send is sent by another, and what it has is uncertain until it says what became of it.

    Args:
        database: the database.
        owner: the deliverer.
        on_release: told that it delivers no more.
    """

    def __init__(self, database: PgDatabase, owner: str, on_release: Callable[[], object]) -> None:
        self._database = database
        self._owner = owner
        self._on_release = on_release
        self._renewing = threading.Lock()
        self._session = self._connect()
        forks().add(self)

    def renew(self) -> None:
        """Take the lock again, if the connection is gone."""
        with self._renewing:
            if not is_alive(self._session):
                with suppress(psycopg.Error):
                    self._session.close()
                self._session = self._connect()

    def release(self) -> None:
        """It delivers no more."""
        self._on_release()
        forks().remove(self)
        with suppress(psycopg.Error):
            self._session.close()

    def before_fork(self) -> None:
        """Let a step that is under way come to its end."""
        self._renewing.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._renewing.release()

    def after_fork_in_child(self) -> None:
        """The lock is the parent's."""
        self._renewing = threading.Lock()
        abandon(self._session)

    def _connect(self) -> Connection:
        with explained(self._database.place):
            session = self._database.connector.connect()
            try:
                session.execute("SELECT pg_advisory_lock_shared(%s, hashtext(%s))", (_DELIVERERS, self._owner))
            except BaseException:
                session.close()
                raise
            return session


def pieces_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size; one that is empty where there are none."""
    buffer = bytearray()
    is_empty = True
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PIECE_BYTES:
            yield bytes(buffer[:PIECE_BYTES])
            del buffer[:PIECE_BYTES]
            is_empty = False
    if buffer or is_empty:
        yield bytes(buffer)
