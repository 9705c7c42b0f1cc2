"""The limits that all machines of a bot keep together, in a table: a row for each chat that was written to lately, and one for all of them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable

from syncbot.errors import StorageError
from syncbot.storage.codec import storable
from syncbot.storage.postgres.server.database import PgDatabase
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.turns import ChatTurns, TurnLimits

_log = logging.getLogger(__name__)

_TOGETHER_SECONDS = 0.05
"""What is noted within this time is written together."""
_BUSY_LOOK_SECONDS = 1.0
_IDLE_LOOK_SECONDS = 5.0
_BUSY_FOR_SECONDS = 10.0
_SWEEP_AFTER_LOOKS = 60
_END_SECONDS = 2.0
_PATIENCE_SECONDS = 1.0
_SET_BACK_SECONDS = 30.0
_LONGEST_AHEAD_SECONDS = 3700.0
"""No pause is longer, and no turn further ahead, some intervals of a chat aside: more is of a clock that was set back since."""
_MOST_AHEAD = 100

_ALL = ""
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
_NOTE = """INSERT INTO syncbot.turn AS t (bot, chat, full_at, minute)
    SELECT %(bot)s, chat, %(now)s::float8 + number * %(interval)s::float8, array_fill(%(now)s::float8, ARRAY[number])
    FROM unnest(%(chats)s::text[], %(numbers)s::integer[]) AS n (chat, number) ORDER BY chat
    ON CONFLICT (bot, chat) DO UPDATE SET full_at = greatest(t.full_at, %(now)s::float8) + excluded.full_at - %(now)s::float8,
        minute = ARRAY(SELECT at FROM unnest(t.minute || excluded.minute) AS at WHERE at > %(now)s::float8 - %(kept)s::float8 ORDER BY at)
    RETURNING chat, full_at, minute, paused_until"""
_PAUSE = """INSERT INTO syncbot.turn AS t (bot, chat, paused_until) VALUES (%(bot)s, %(chat)s, %(until)s)
    ON CONFLICT (bot, chat) DO UPDATE SET paused_until = greatest(t.paused_until, excluded.paused_until)"""
_OTHERS_PAUSED = """SELECT EXISTS (SELECT 1 FROM syncbot.turn
    WHERE bot = %(bot)s AND paused_until > 0 AND paused_until > %(now)s AND chat <> %(chat)s AND chat <> '' AND NOT starts_with(chat, '/'))"""
_NEAR = """SELECT chat, full_at, minute, paused_until FROM syncbot.turn
    WHERE bot = %(bot)s AND full_at > %(now)s::float8 - %(kept)s::float8 AND chat <> '' AND (full_at > %(now)s OR cardinality(minute) >= %(many)s)
    UNION ALL SELECT chat, full_at, minute, paused_until FROM syncbot.turn
    WHERE bot = %(bot)s AND paused_until > 0 AND paused_until > %(now)s"""
_SWEEP = "DELETE FROM syncbot.turn WHERE bot = %(bot)s AND greatest(full_at, paused_until) < %(now)s::float8 - 2 * %(kept)s::float8"

_FORGET = """DELETE FROM syncbot.turn WHERE bot = %(bot)s AND chat IN (SELECT chat FROM syncbot.turn
    WHERE bot = %(bot)s AND greatest(full_at, paused_until, minute[cardinality(minute)]) > %(now)s::float8 + %(ahead)s::float8
    ORDER BY chat FOR UPDATE SKIP LOCKED)"""


class PgTurns:
    """`syncbot.storage.promises.turns.SharedTurns` in PostgreSQL. Times are those of the database's clock.

    Args:
        database: the database.
        limits: how much the machines send together.
        is_member: whether this process is one of those that handle, which have a part of the limit each.
        passing: seconds that pass, whatever any clock is set to.
    """

    def __init__(self, database: PgDatabase, limits: TurnLimits, is_member: Callable[[], bool], passing: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._limits = limits
        self._is_member = is_member
        self._told: Callable[[list[ChatTurns]], object] = lambda _: None
        self._own_per_second = 0
        self._passing = passing
        self._offset: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._notes: Counter[str] = Counter()
        self._pauses: dict[str, float] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._noted_at = 0.0
        self._looks = 0
        self._writing = False

    @property
    def own_per_second(self) -> int:
        return self._own_per_second

    def on_learned(self, told: Callable[[list[ChatTurns]], object]) -> None:
        self._told = told
        self._start()

    def note(self, chat: str) -> None:
        with self._here():
            self._notes[storable(chat)] += 1
            self._noted_at = time.monotonic()
            self._changed.notify_all()

    def pause(self, chat: str, seconds: float) -> None:
        with self._here():
            self._pauses[storable(chat)] = seconds
            self._changed.notify_all()

    def take(self, chat: str, *, is_group: bool, within: float) -> float:
        chat = storable(chat)
        with self._here():  # what went there before is written first
            self._changed.wait_for(lambda: not self._writing, _PATIENCE_SECONDS)
            noted = self._notes.pop(chat, 0)
        try:
            return self._take(chat, noted, is_group=is_group, within=within)
        except BaseException:
            with self._changed:
                self._notes.update({chat: noted} if noted else {})
            raise

    def _take(self, chat: str, noted: int, *, is_group: bool, within: float) -> float:
        limits = self._limits
        with self._database.transaction() as db:
            now, full_at, minute, paused_until = self._row(db, chat)
            full_at = max(full_at, now) + noted * limits.interval
            minute = [at for at in minute if at > now - limits.minute] + [now] * noted
            turn = max(now, paused_until, self._all_paused_until(db), full_at - (limits.burst - 1) * limits.interval)
            if is_group and len(minute) >= limits.per_minute:
                turn = max(turn, sorted(minute)[-limits.per_minute] + limits.minute)
            is_taken = turn - now < within
            if is_taken:
                full_at, minute = max(full_at, turn) + limits.interval, [*minute, turn]
            if is_taken or noted:
                sql = "UPDATE syncbot.turn SET full_at = %s, minute = %s::float8[] WHERE bot = %s AND chat = %s"
                db.execute(sql, (full_at, minute, self._database.bot, chat))
        return turn - now

    def take_common(self, *, within: float) -> float:
        limits = self._limits
        with self._database.transaction() as db:
            now, _, sent, paused_until = self._row(db, _ALL)
            members = self._members(db)
            room = limits.per_second - own_part(limits.per_second, members) * members
            turn = max(now, paused_until)
            if len(sent) >= room:
                turn = max(turn, sorted(sent)[-room] + limits.second)
            if turn - now < within:
                sent = [at for at in sent if at > now - limits.second] + [turn]
                db.execute("UPDATE syncbot.turn SET minute = %s::float8[] WHERE bot = %s AND chat = ''", (sent, self._database.bot))
        return turn - now

    def close(self) -> None:
        if self._pid != os.getpid():
            return
        with self._changed:
            self._closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_END_SECONDS)

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _here(self) -> threading.Condition:
        """The guard of this process; a child begins anew."""
        if self._pid != os.getpid():
            self._begin()
            self._start()
        return self._changed

    def _start(self) -> None:
        with self._here():
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="syncbot-turns", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        """Write what is noted, and learn what others have noted, until the end."""
        while True:
            try:
                self._look()
            except StorageError as error:  # each machine keeps the limits for itself meanwhile
                _log.debug("the limits are not shared now: %s", error)
            with self._changed:
                if self._changed.wait_for(lambda: self._closed, _TOGETHER_SECONDS):
                    return
                is_busy = time.monotonic() - self._noted_at < _BUSY_FOR_SECONDS
                self._changed.wait_for(lambda: self._closed or self._notes or self._pauses, _BUSY_LOOK_SECONDS if is_busy else _IDLE_LOOK_SECONDS)
                if self._closed:
                    return

    def _look(self) -> None:
        with self._changed:
            notes, self._notes = self._notes, Counter()
            pauses, self._pauses = self._pauses, {}
            self._writing = True
        try:
            self._exchange(notes, pauses)
        except StorageError:
            with self._changed:
                self._notes.update(notes)
                self._pauses = pauses | self._pauses
            raise
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _exchange(self, notes: Counter[str], pauses: dict[str, float]) -> None:
        bot, limits = self._database.bot, self._limits
        self._forget_another_clock()
        for chat, seconds in pauses.items():
            self._write_pause(chat, seconds)
        with self._database.transaction() as db:
            [(now,)] = db.execute(_NOW).fetchall()
            where = {"bot": bot, "now": now, "kept": limits.minute, "interval": limits.interval, "many": limits.per_minute // 4}
            rows = db.execute(_NOTE, where | {"chats": list(notes), "numbers": list(notes.values())}).fetchall() if notes else []
            rows += db.execute(_NEAR, where).fetchall()
            members = self._members(db)
            self._looks += 1
            if self._looks % _SWEEP_AFTER_LOOKS == 0:
                db.execute(_SWEEP, where)
        self._own_per_second = own_part(limits.per_second, members) if self._is_member() else 0
        self._told([ChatTurns(chat, full_at - now, tuple(at - now for at in minute), paused - now) for chat, full_at, minute, paused in rows])

    def _forget_another_clock(self) -> None:
        """Where the database's clock was set back, or a server has taken over whose clock is behind, nobody waits until it is where the other one was."""
        with self._database.reading() as db:
            [(now,)] = db.execute(_NOW).fetchall()
            before, self._offset = self._offset, now - self._passing()
            is_set_back = before is not None and self._offset < before - _SET_BACK_SECONDS
            if before is None or is_set_back:
                ahead = 0.0 if is_set_back else _LONGEST_AHEAD_SECONDS + _MOST_AHEAD * self._limits.interval
                db.execute(_FORGET, {"bot": self._database.bot, "now": now, "ahead": ahead})

    def _write_pause(self, chat: str, seconds: float) -> None:
        """Write one; and one for all chats, where another chat is paused already. Each is a transaction, so that no two wait for each other."""
        with self._database.reading() as db:
            [(now,)] = db.execute(_NOW).fetchall()
            values = {"bot": self._database.bot, "chat": chat, "now": now, "until": now + seconds}
            if not chat.startswith("/") and db.execute(_OTHERS_PAUSED, values).fetchall()[0][0]:
                db.execute(_PAUSE, values | {"chat": _ALL})
            db.execute(_PAUSE, values)

    def _row(self, db: Connection, chat: str) -> tuple[float, float, list[float], float]:
        """The time, and what stands in the row of a chat, which nobody else changes until the transaction ends."""
        where = (self._database.bot, chat)
        db.execute("INSERT INTO syncbot.turn (bot, chat) VALUES (%s, %s) ON CONFLICT DO NOTHING", where)
        sql = "SELECT full_at, minute, paused_until FROM syncbot.turn WHERE bot = %s AND chat = %s FOR UPDATE"
        [(full_at, minute, paused)] = db.execute(sql, where).fetchall()
        [(now,)] = db.execute(_NOW).fetchall()  # after the wait for the row
        return now, full_at, minute, paused

    def _all_paused_until(self, db: Connection) -> float:
        rows = db.execute("SELECT paused_until FROM syncbot.turn WHERE bot = %s AND chat = ''", (self._database.bot,)).fetchall()
        return float(rows[0][0]) if rows else 0.0

    def _members(self, db: Connection) -> int:
        return max(1, int(db.execute("SELECT count(*) FROM syncbot.member WHERE bot = %s", (self._database.bot,)).fetchall()[0][0]))


def own_part(per_second: int, members: int) -> int:
    """How many messages a second each member may send without asking: half of all are divided among them, the other half is asked for."""
    return per_second // 2 // members
