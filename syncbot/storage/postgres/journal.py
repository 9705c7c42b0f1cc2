# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The journal in the database.

A call waits for one round trip: that which writes that it is under way. What came of it goes with the next group, which a thread of its own writes as soon
as the one before is written; should the process die before, nobody knows whether the call was made, as if it had died during the call.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from syncbot.errors import StorageError
from syncbot.storage.claims import claim_gone
from syncbot.storage.codec import storable
from syncbot.storage.postgres.server.database import CommitUnknown, PgDatabase
from syncbot.storage.promises.journal import JournalKey, JournalStep

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
_END_SECONDS = 2.0

Place = tuple[int, int]
"""Row and number of a step."""
Written = tuple[JournalKey, JournalStep]

# The member cannot be taken for dead, nor the chat be given back, until this is written.
_ALIVE = "alive AS MATERIALIZED (SELECT id FROM syncbot.member WHERE bot = %(bot)s AND id = ANY (%(members)s) ORDER BY id FOR KEY SHARE)"
_WRITE = f"""WITH {_ALIVE},
    handled AS MATERIALIZED (
        SELECT c.key FROM syncbot.inbox AS i JOIN syncbot.chat AS c ON c.bot = i.bot AND c.key = i.lane
        WHERE i.bot = %(bot)s AND i.seq = %(row)s AND c.since <= i.seq AND c.owner IN (SELECT id FROM alive) FOR SHARE OF c),
    yielded AS MATERIALIZED (
        SELECT seq FROM syncbot.inbox WHERE bot = %(bot)s AND seq = %(row)s AND state = 'yielded' AND owner IN (SELECT id FROM alive) FOR SHARE)
    INSERT INTO syncbot.journal AS j (bot, seq, step, what, target, outcome)
    SELECT %(bot)s, %(row)s, %(step)s, %(what)s, %(target)s, %(outcome)s
    WHERE EXISTS (SELECT 1 FROM handled) OR EXISTS (SELECT 1 FROM yielded)
    ON CONFLICT (bot, seq, step) DO UPDATE SET what = excluded.what, target = excluded.target, outcome = excluded.outcome
    RETURNING step"""
_END = f"""WITH {_ALIVE}
    UPDATE syncbot.journal AS j SET outcome = g.outcome
    FROM unnest(%(owners)s::bigint[], %(rows)s::bigint[], %(steps)s::integer[], %(outcomes)s::text[]) AS g (owner, seq, step, outcome)
    WHERE j.bot = %(bot)s AND j.seq = g.seq AND j.step = g.step AND g.owner IN (SELECT id FROM alive)"""


class PgJournal:
    """`syncbot.storage.promises.parts.Journal` in PostgreSQL.

    Args:
        database: the database.
        is_held: whether a claim stands, as far as this process knows.
    """

    def __init__(self, database: PgDatabase, is_held: Callable[[JournalKey], bool]) -> None:
        self._database = database
        self.is_held = is_held
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._under_way: dict[Place, int] = {}  # with the ticket of the claim whose run has begun it
        self._outcomes: dict[Place, Written] = {}
        self._writing: set[int] = set()  # rows
        self._thread: threading.Thread | None = None
        self._closed = False

    def steps(self, key: JournalKey) -> list[JournalStep]:
        self.flush((key.row,))
        sql = "SELECT step, what, target, outcome FROM syncbot.journal WHERE bot = %s AND seq = %s ORDER BY step"
        return [JournalStep(*row) for row in self._database.rows(sql, (self._database.bot, key.row))]

    def write(self, key: JournalKey, step: JournalStep) -> None:
        step.check()
        if self._pid != os.getpid():
            self._begin()
        if not self.is_held(key):
            raise claim_gone(self._database.place)
        place = (key.row, step.number)
        if step.outcome is not None and self._under_way.get(place) == key.ticket:
            self._put(place, (key, step))
            return
        member = key.ticket >> 32
        values = {"row": key.row, "step": step.number, "what": storable(step.what), "target": storable(step.target), "outcome": step.outcome}
        with self._database.reading() as db:
            if not db.execute(_WRITE, values | {"bot": self._database.bot, "members": [member]}).fetchall():
                raise claim_gone(self._database.place)
        if step.outcome is None:
            with self._changed:
                self._under_way[place] = key.ticket

    @contextmanager
    def together(self, *, durable: bool) -> Iterator[object]:
        try:
            with self._database.transaction() as db:
                yield db
        except CommitUnknown as unknown:
            self._database.check_committed(unknown)

    def cut(self, key: JournalKey, number: int) -> None:
        if not self.is_held(key):
            return
        self.flush((key.row,))
        with self._changed:  # what comes of these is written as a step of its own: their intents do not stand there any more
            for place in [(row, step) for row, step in self._under_way if row == key.row and step >= number]:
                del self._under_way[place]
        with self._database.transaction() as db:
            if db.execute("SELECT 1 FROM syncbot.member WHERE bot = %s AND id = %s FOR KEY SHARE", (self._database.bot, key.ticket >> 32)).fetchall():
                db.execute("DELETE FROM syncbot.journal WHERE bot = %s AND seq = %s AND step >= %s", (self._database.bot, key.row, number))

    def flush(self, rows: Collection[int]) -> None:
        """Write what came of the calls of these, whose claims are about to be given back; outside of any transaction.

        Raises:
            StorageError: it is not written.
        """
        if self._pid != os.getpid():
            return
        with self._changed:
            self._changed.wait_for(lambda: self._writing.isdisjoint(rows))
            left = [written for (row, _), written in self._outcomes.items() if row in rows]
        if left:
            self._write_outcomes(left)

    def forget(self, rows: Collection[int]) -> None:
        """These have ended: what came of their calls need not be written any more."""
        if self._pid != os.getpid():
            return
        with self._changed:
            for place in [place for place in (*self._outcomes, *self._under_way) if place[0] in rows]:
                self._outcomes.pop(place, None)
                self._under_way.pop(place, None)

    def close(self) -> None:
        """Write what is left, and end the thread."""
        if self._pid != os.getpid():
            return
        with self._changed:
            self._closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_END_SECONDS)

    def _put(self, place: Place, written: Written) -> None:
        with self._changed:
            self._under_way.pop(place, None)
            self._outcomes[place] = written
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="syncbot-journal", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        """The thread: write what there is, together, until the end."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._outcomes or self._closed)
                group = list(self._outcomes.values())
                if not group:
                    return
                self._writing = {key.row for key, _ in group}
            try:
                self._write_outcomes(group)
                is_written = True
            except StorageError as error:
                _log.debug("what came of %d calls is not in the journal yet: %s", len(group), error)
                is_written = False
            with self._changed:
                self._writing = set()
                self._changed.notify_all()
                if not is_written and self._changed.wait_for(lambda: self._closed, _PAUSE_SECONDS):
                    return

    def _write_outcomes(self, group: Sequence[Written]) -> None:
        """Write what came of calls whose claims still stand; nobody needs the others'."""
        group = sorted(group, key=lambda written: (written[0].row, written[1].number))
        values = {
            "bot": self._database.bot,
            "owners": (owners := [key.ticket >> 32 for key, _ in group]),
            "members": sorted(set(owners)),
            "rows": [key.row for key, _ in group],
            "steps": [step.number for _, step in group],
            "outcomes": [step.outcome for _, step in group],
        }
        with self._database.reading() as db:
            db.execute(_END, values)
        with self._changed:
            for key, step in group:
                place = (key.row, step.number)
                if self._outcomes.get(place) == (key, step):
                    del self._outcomes[place]
