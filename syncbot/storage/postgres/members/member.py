"""A process among those that handle: its lease, the lock by which others see at once that it was killed, and its look at them.

```
its row            it has what it has claimed; whoever deletes the row takes that over. Each verb that writes for a claim holds the row while it does
its lease          by the database's clock, renewed at a third of it: over, where it is frozen, or cut off
its session lock   gone as soon as its connection is, so when it was killed; one that comes back quickly takes it anew, and others look twice
```
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg

from syncbot.errors import StorageError
from syncbot.process import elapsed_seconds
from syncbot.storage.postgres.server.database import PgDatabase
from syncbot.storage.postgres.server.pool import Connection, abandon
from syncbot.storage.postgres.server.schema import LOCK

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
_TOGETHER_SECONDS = 0.01
"""What is told within so short a time is one piece of news."""
_DEAD_SECONDS = 0.35
"""A session lock that is free for so long is that of a dead process; a living one takes it anew before."""
_SLOW_LOOK_SECONDS = 1.0
_SEEN_SECONDS = 20.0
"""How often all members are counted: a thousand of them each second would be a million rows."""
_RECONNECT_SECONDS = 0.1
_BEGIN_ANEW_SECONDS = 0.5
_COME_BACK_SECONDS = 2.0
_END_SECONDS = 5.0
_NEAR = 3
"""So many others each member looks after: those that follow it in the order of their numbers, in a circle."""
_ALL = 1_000_000

# Who has not renewed its lease since the server came back has not got its lock back either: there the lease alone counts.
_LOOK = """WITH near AS MATERIALIZED (
        (SELECT id, lease_until FROM syncbot.member WHERE bot = %(bot)s AND id > %(id)s ORDER BY id LIMIT %(near)s) UNION ALL
        (SELECT id, lease_until FROM syncbot.member WHERE bot = %(bot)s AND id < %(id)s ORDER BY id LIMIT %(near)s) LIMIT %(near)s),
        others AS MATERIALIZED (
            SELECT id, lease_until < clock_timestamp() AS expired, lease_until - make_interval(secs => %(lease)s) AS renewed FROM near)
    SELECT id, expired, CASE WHEN expired OR renewed < pg_postmaster_start_time() THEN false ELSE pg_try_advisory_xact_lock(%(lock)s + id) END FROM others"""
_SLOW_LOOK = """SELECT EXISTS (SELECT 1 FROM syncbot.chat WHERE bot = %(bot)s AND owner = 0 AND suspect = 0 AND since IS NOT NULL)
    OR EXISTS (SELECT 1 FROM syncbot.chat WHERE bot = %(bot)s AND suspect = %(id)s AND suspect <> 0 AND owner = 0)
    OR EXISTS (SELECT 1 FROM syncbot.outbox WHERE bot = %(bot)s AND state = 'queued' AND not_before <= extract(epoch FROM clock_timestamp()))"""
_SEEN = """SELECT (SELECT count(*) FROM syncbot.member WHERE bot = %(bot)s AND lease_until > clock_timestamp()),
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
        WHERE backend_xmin IS NOT NULL AND datname = current_database() AND application_name <> 'syncbot')"""
_RENEW = """UPDATE syncbot.member SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s) WHERE bot = %(bot)s AND id = %(id)s
    RETURNING pg_backend_pid()"""

POOLED = (
    "the database {place} is reached through a pooler that gives a client another connection for each transaction (pgbouncer with pool_mode = transaction), "
    "which keeps no locks and passes on no notifications: give the bot the address of the server itself, or a pool with pool_mode = session"
)


class Membership:
    """This process among those that handle.

    Args:
        database: the database.
        mode: what the process does; "" while that is not said.
        on_dead: told of members that are dead, to take over what they have.
        on_gone: told that this one was taken for dead, again and again until it returns true.
        clock: seconds, from any beginning.
    """

    def __init__(
        self,
        database: PgDatabase,
        mode: str,
        *,
        on_dead: Callable[[Sequence[int]], object],
        on_gone: Callable[[Membership], bool],
        clock: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease_seconds = database.options.lease_seconds
        self._on_dead = on_dead
        self._on_gone = on_gone
        self._stop = threading.Event()
        self._free_since: dict[int, float] = {}
        self._slow_look_at = 0.0
        self._seen_at = time.monotonic() + _SEEN_SECONDS / 4
        self.is_gone = False
        self.is_polling = False
        """Whether it is the one that polls, as far as it knows."""
        self.on_polling_lost: Callable[[], object] = lambda: None
        self.on_news: Callable[[], object] = lambda: None
        self.on_seen: Callable[[int, float], object] = lambda _number, _longest: None
        """Told now and then how many members there are, and for how many seconds another program has had a transaction open."""
        began = clock()
        [(self.id,)] = database.rows("SELECT nextval('syncbot.member_id')")
        self._where = {"bot": database.bot, "id": self.id, "lock": LOCK, "lease": self._lease_seconds}
        self._session: Connection | None = self._connect()  # first: a row without its lock would be that of a dead one
        sql = """INSERT INTO syncbot.member (bot, id, name, mode, lease_until)
            VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))"""
        try:
            with database.transaction() as db:
                db.execute(sql, (database.bot, self.id, f"{os.uname().nodename}:{os.getpid()}", mode, self._lease_seconds))
        except BaseException:
            self._session.close()
            raise
        self._valid_until = began + self._lease_seconds
        self._renew_at = began + self._lease_seconds / 3
        self._look_at = 0.0
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="syncbot-member", daemon=True)

    def start(self) -> None:
        """Look after the lease from now on."""
        self._database.news.listens = True
        self._thread.start()

    @property
    def thread(self) -> threading.Thread:
        """The thread that looks after it."""
        return self._thread

    @property
    def is_valid(self) -> bool:
        """Whether nobody can have taken it for dead: by the own clock, which goes on while the process is stopped, or the machine asleep."""
        return not self.is_gone and self._clock() < self._valid_until

    @property
    def may_poll(self) -> bool:
        """Whether it is the one that polls, and sure of it."""
        return self.is_polling and self._session is not None and self.is_valid

    def take_polling(self) -> bool:
        """Become the one that polls, if nobody is.

        Raises:
            StorageError: the database cannot be used.
        """
        sql = """UPDATE syncbot.member SET polls = true WHERE bot = %(bot)s AND id = %(id)s
            AND NOT EXISTS (SELECT 1 FROM syncbot.member WHERE bot = %(bot)s AND polls AND id <> %(id)s) RETURNING id"""
        try:
            with self._database.transaction() as db:
                self.is_polling = bool(db.execute(sql, self._where).fetchall())
        except psycopg.errors.UniqueViolation:  # another one was quicker
            self.is_polling = False
        return self.is_polling and self._session is not None

    def dead_ones(self) -> list[int]:
        """The members that are dead, for one that has just come: it looks twice, if it has to.

        Raises:
            StorageError: the database cannot be used.
        """
        expired, free = self._look_at_others(_ALL)
        if free:
            self._stop.wait(_DEAD_SECONDS)
            expired, free_again = self._look_at_others(_ALL)
            free &= free_again
        return sorted(expired | free)

    def cease(self) -> None:
        """It is known to be none any more: the thread lets go, and has this process begin anew."""
        self.is_gone = True
        self._wake()

    def end(self) -> None:
        """The thread ends, and the session lock goes with its connection. Does not wait."""
        self._stop.set()
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):
            self._waker.send(b"x")

    def join(self) -> None:
        """Wait for the end of the thread."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_END_SECONDS)
        elif self._thread.ident is None:  # never started
            self._let_go()

    def after_fork_in_child(self) -> None:
        """The connection is the parent's."""
        if self._session is not None:
            abandon(self._session)
        self.is_gone = True

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self.is_gone:
                try:
                    self._step()
                except (psycopg.Error, StorageError) as error:
                    self._lose_session()
                    _log.debug("the session of member %d is lost: %s", self.id, error)
                    self.is_gone |= isinstance(error, StorageError) and not error.retryable
                    self._stop.wait(_RECONNECT_SECONDS)
                if not self.is_valid:
                    self._lose_polling()
            self._lose_session()
            while self.is_gone and not self._stop.is_set() and not self._on_gone(self):
                self._stop.wait(_BEGIN_ANEW_SECONDS)
        finally:
            self._let_go()

    def _step(self) -> None:
        """Listen for a moment, renew the lease when it is time, and look after the others."""
        if self._session is None:
            self._session = self._connect()
            self._free_since.clear()
            self._renew()
            self._database.news.look()  # what others told meanwhile was told to nobody
            # The others, who may have lost the database as well, have a moment to come back too.
            self._look_at = time.monotonic() + min(_COME_BACK_SECONDS, self._lease_seconds / 3)
        self._listen(self._session)
        if self._clock() >= self._renew_at:
            self._renew()
        now = time.monotonic()
        if self.is_gone or self._stop.is_set():
            return
        if now >= self._look_at:
            self._look_after_others(now)
        if now >= self._slow_look_at:
            self._slow_look_at = now + _SLOW_LOOK_SECONDS
            if self._session.execute(_SLOW_LOOK, self._where).fetchall()[0][0]:
                self._database.news.look()
        if now >= self._seen_at:
            self._seen_at = now + _SEEN_SECONDS
            [(number, longest)] = self._session.execute(_SEEN, self._where).fetchall()
            self.on_seen(number, float(longest))

    def _listen(self, session: Connection) -> None:
        look = select.poll()  # select() takes no descriptor above 1023, and a web server has many
        for descriptor in (session.fileno(), self._woken.fileno()):
            look.register(descriptor, select.POLLIN)
        if any(descriptor == session.fileno() for descriptor, _ in look.poll(_LOOK_SECONDS * 1000)):
            heard = [self._database.news.hear(notify.payload) for notify in session.notifies(timeout=0)]
            if any(heard):
                self.on_news()
                self._stop.wait(_TOGETHER_SECONDS)

    def _renew(self) -> None:
        assert self._session is not None
        began = self._clock()
        found = self._session.execute(_RENEW, self._where).fetchall()
        if not found:
            self.is_gone = True
        elif found[0][0] != self._backend:
            raise StorageError(POOLED.format(place=self._database.place))
        else:
            self._valid_until = began + self._lease_seconds
            self._renew_at = began + self._lease_seconds / 3

    def _look_after_others(self, now: float) -> None:
        expired, free = self._look_at_others()
        self._free_since = {id: self._free_since.get(id, now) for id in free}
        dead = expired | {id for id, since in self._free_since.items() if now - since >= _DEAD_SECONDS}
        if dead:
            self._on_dead(sorted(dead))
            for id in dead:
                self._free_since.pop(id, None)

    def _look_at_others(self, near: int = _NEAR) -> tuple[set[int], set[int]]:
        """Of so many members the ones whose lease is over, and those whose session lock is free."""
        if self._session is None:
            raise StorageError(f"the session with the database {self._database.place} is lost", retryable=True)
        rows = self._session.execute(_LOOK, self._where | {"near": near}).fetchall()
        return {id for id, expired, _ in rows if expired}, {id for id, _, is_free in rows if is_free}

    # ── the connection of its own ────────────────────────────────────────────────────────────────────────────────────

    def _connect(self) -> Connection:
        """Open the connection that holds the session lock and listens."""
        session = self._database.connector.connect()
        try:
            [(self._backend,)] = session.execute("SELECT pg_backend_pid()").fetchall()
            if self._backend != session.info.backend_pid:
                self._refuse_pooler(session)
            session.execute(f'LISTEN "{self._database.news.channel}"')
            session.execute("SELECT pg_advisory_lock(%s)", (LOCK + self.id,))  # whoever looks at it has it for a moment
        except BaseException:
            session.close()
            raise
        return session

    def _refuse_pooler(self, session: Connection) -> None:
        """Something stands in between; see whether it gives each client a connection of its own.

        Raises:
            StorageError: it does not.
        """
        other = self._database.connector.connect()
        try:
            other.execute("BEGIN")
            [(others,)] = other.execute("SELECT pg_backend_pid()").fetchall()
            [(mine,)] = session.execute("SELECT pg_backend_pid()").fetchall()
        finally:
            other.close()
        if others == self._backend or mine != self._backend:
            raise StorageError(POOLED.format(place=self._database.place))

    def _lose_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(psycopg.Error):
                session.close()
        self._lose_polling()

    def _lose_polling(self) -> None:
        """Whoever cannot be sure any more stops at once, and asks again."""
        if self.is_polling:
            self.is_polling = False
            self.on_polling_lost()

    def _let_go(self) -> None:
        self._lose_session()
        self._waker.close()
        self._woken.close()
