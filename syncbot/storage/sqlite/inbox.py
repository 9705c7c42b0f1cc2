# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The inbox in the state file.

There are two ways to hand out and to finish. Ordinarily the process that handles only notes it (`syncbot.storage.sqlite.notes`), and settles many notes in
one transaction, at the latest when it finds nothing more to hand out. What is rare, or has to stand in the tables at once, is a transaction each
time, which settles the notes first: changes, failures, turns given away, updates put back, and all handing out while there are suspects. Where no
turn log can be made, everything is.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.storage.claims import Turns, taken_over
from syncbot.storage.codec import NOTHING, EncodedChanges, Unreadable, encode_changes, int64, shorten
from syncbot.storage.promises.data import NO_CHANGES, Changes
from syncbot.storage.promises.store import DEATHS_ALONE, DIED_ALONE, Claimed, Counts, Incoming, Recovery, StoreOptions
from syncbot.storage.sqlite.data import write_changes
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.inbox_rows import bury_row, forget_dead_letters, forget_ids, insert_waiting, known_ids, number, set_aside, set_number, sound, sweep
from syncbot.storage.sqlite.notes import Found, Notes, Window, apply_earlier, seen_from_outside
from syncbot.storage.sqlite.shapes import fact, read_time
from syncbot.storage.sqlite.turn_log import TurnLog

_log = logging.getLogger(__name__)

_SWEEP_AT = 64  # done rows that may lie about where no batch comes by to sweep them (because other processes store)
_PRUNE_AT = 2_000  # stored updates between two rounds of forgetting

_COLUMNS = "SELECT seq, update_id, chat, stored, attempts, (SELECT json FROM body WHERE body.seq = inbox.seq) FROM inbox WHERE state = 'waiting'"
_FEW = 16
"""Up to so many values are listed in a statement one by one, which is much faster than out of a JSON list."""
_HEAD = f"{_COLUMNS} AND chat = ? ORDER BY seq LIMIT 1"
_ROW = f"{_COLUMNS} AND seq = ?"
_COUNTS = """WITH begun AS (SELECT value FROM json_each(?)), ended AS (SELECT value FROM json_each(?))
    SELECT coalesce(sum(state = 'waiting'), 0) - (SELECT count(*) FROM inbox WHERE state = 'waiting' AND (seq IN begun OR seq IN ended)),
        coalesce(sum(state IN ('running', 'yielded')), 0) + (SELECT count(*) FROM inbox WHERE state = 'waiting' AND seq IN begun)
            - (SELECT count(*) FROM inbox WHERE state IN ('running', 'yielded') AND seq IN ended),
        (SELECT stored FROM inbox WHERE state = 'waiting' AND seq NOT IN begun AND seq NOT IN ended ORDER BY seq LIMIT 1)
    FROM inbox"""
"""How many wait and run, and since when; one statement, and so one moment."""
_OWN = "run = ? AND state IN ('running', 'yielded')"


class SqlInbox:
    """`syncbot.storage.promises.store.Inbox` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = database
        self._now = now
        self._options = options
        self._log_path = Path(f"{database.path}-turns")
        self._turns: Turns | None = None
        self._notes: Notes | None = None
        self._window = Window()
        self._unswept: list[int] = []
        self._since_pruning = 0

    def store(self, updates: Sequence[Incoming], *, next_offset: int | None = None) -> int:
        batch: dict[int, Incoming] = {}
        for update in updates:
            batch.setdefault(int64(update.update_id, "the update's id"), update)
        if not batch and next_offset is None:
            return 0
        with self._database.lock:
            with self._writing(self._turns, durable=True, tidy=True) as db:
                known = known_ids(db, batch, self._now() - self._options.window_seconds)
                fresh = [update for id, update in batch.items() if id not in known]
                insert_waiting(db, fresh, self._now())
                if next_offset is not None:
                    set_number(db, "store.next_offset", next_offset)
            self._since_pruning += len(fresh)
            if self._since_pruning >= _PRUNE_AT:
                self._prune_quietly()
        return len(fresh)

    def next_offset(self) -> int | None:
        rows = self._database.rows("SELECT value FROM meta WHERE name = 'store.next_offset'")
        try:
            return fact(rows[0][0], "the offset") if rows else None
        except Unreadable as problem:
            _log.error("%s in the state file %s; it is not needed", problem, self._database.path)
            return None

    def recover(self) -> Recovery:
        with self._database.lock:
            with self._database.transaction() as db:
                before = number(db, "store.run")
                set_aside(db, self._now())
                apply_earlier(db, self._log_path, before)
                run = before + 1
                set_number(db, "store.run", run)
                interrupted, buried = self._convict(db)
                sweep(db, [seq for (seq,) in db.execute("SELECT seq FROM inbox WHERE state = 'done'")])
                suspects = [seq for (seq,) in db.execute("SELECT seq FROM inbox WHERE suspect AND state = 'waiting'")]
                waiting = int(db.execute("SELECT count(*) FROM inbox WHERE state = 'waiting'").fetchone()[0])
            self._turns = Turns(run, suspects)
            self._notes = self._make_notes(run)
            self._window.clear()
            self._unswept = []
            self._prune_quietly()
        return Recovery(waiting, interrupted, len(suspects), buried)

    def claim(self, limit: int = 1) -> list[Claimed]:
        with self._database.lock:
            turns = self._handling()
            if turns.blocked:
                return []
            if self._may_note(turns):
                return self._take(turns, limit)
            turns = turns.copy()
            with self._writing(turns) as db:
                self._check_run(db, turns)
                claimed = self._hand_out(db, turns, limit)
            self._turns = turns
            return claimed

    def finish(self, claimed: Claimed, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
        encoded = encode_changes(changes)
        with self._database.lock:
            turns = self._holding(claimed)
            notes = self._notes
            if notes is None or not notes.has_room or encoded != NOTHING or not self._may_note(turns):
                return self._end(turns, claimed, encoded, None, claim)
            notes.end(claimed.row, claimed.update_id)
            turns.end(claimed.row)
            return self._take_quietly(turns, claim)

    def bury(self, claimed: Claimed, reason: str, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
        encoded = encode_changes(changes)
        with self._database.lock:
            return self._end(self._holding(claimed), claimed, encoded, shorten(reason), claim)

    def release(self, *claimed: Claimed) -> None:
        with self._database.lock:
            turns = self._handling().copy()
            with self._writing(turns) as db:
                for one in filter(turns.holds, claimed):
                    db.execute(f"UPDATE inbox SET state = 'waiting' WHERE seq = ? AND {_OWN}", (one.row, turns.run))
                    turns.put_back(one.row)
            self._turns = turns
            self._window.clear()

    def yield_turn(self, claimed: Claimed) -> None:
        with self._database.lock:
            turns = self._holding(claimed).copy()
            if turns.yield_turn(claimed.row):
                self._mark(claimed, turns, "yielded")

    def take_turn(self, claimed: Claimed) -> bool:
        with self._database.lock:
            turns = self._holding(claimed).copy()
            if not turns.take_turn(claimed.row):
                return False
            self._mark(claimed, turns, "running")
            return True

    def counts(self) -> Counts:
        with self._database.lock:
            turns, notes = self._turns, self._notes
            if notes is not None and turns is not None and turns.pid == os.getpid() and not notes.replaced:
                begun, ended = list(notes.begun), list(notes.ended)
            else:  # another process may handle
                with self._database.reading() as db:
                    begun, ended = seen_from_outside(self._log_path, number(db, "store.run"))
            with self._database.reading() as db:
                waiting, running, oldest = db.execute(_COUNTS, (json.dumps(begun), json.dumps(ended))).fetchone()
                return Counts(waiting, running, oldest if oldest is None else read_time(oldest))

    def prune(self) -> None:
        """Forget old ids and old dead letters."""
        now, options = self._now(), self._options
        with self._database.lock:
            with self._database.transaction() as db:
                forget_ids(db, now - options.window_seconds, options.window_ids)
                forget_dead_letters(db, now, options)
            self._since_pruning = 0

    def close(self) -> None:
        """Settle what is noted, and delete what is done and still lies about.

        Raises:
            StorageError: it could not be written; the next start does it.
        """
        with self._database.lock:
            turns, notes, self._notes = self._turns, self._notes, None
            if turns is None or turns.pid != os.getpid():
                return
            try:
                if self._unswept or (notes is not None and (notes.begun or notes.ended)):
                    self._notes = notes
                    with self._writing(turns, tidy=True):
                        pass
            finally:
                self._notes = None
                if notes is not None:
                    notes.close()

    def _make_notes(self, run: int) -> Notes | None:
        """What is noted without a transaction; None where that is not possible."""
        if self._notes is not None:
            self._notes.close()
        try:
            return Notes(TurnLog(self._log_path, run))
        except OSError:
            return None  # the disk is full, or cannot map files: each end is a transaction of its own then

    def _handling(self) -> Turns:
        """Who has which turn; a transaction changes a copy of it."""
        if self._turns is None or self._turns.pid != os.getpid():
            raise RuntimeError("this process does not handle updates: take the bot's lock and call recover() first")
        return self._turns

    def _holding(self, claimed: Claimed) -> Turns:
        turns = self._handling()
        if not turns.holds(claimed) or (self._notes is not None and self._notes.replaced):
            raise taken_over(str(self._database.path))
        return turns

    # ── handing out with a note ──────────────────────────────────────────────────────────────────────────────────────

    def _may_note(self, turns: Turns) -> bool:
        """Whether a note is enough to hand out and to finish: suspects are handed out by transactions."""
        return self._notes is not None and not turns.has_suspects

    def _take(self, turns: Turns, limit: int) -> list[Claimed]:
        """Hand out what may run next, and note it.

        Raises:
            StorageError: nothing was handed out.
        """
        claimed: list[Claimed] = []
        while len(claimed) < limit:
            try:
                found = self._next(turns)
            except StorageError:
                if claimed:
                    break
                raise
            if found is None:
                break
            seq, update_id, chat, stored, attempts, body = found
            assert self._notes is not None
            self._notes.begin(seq, update_id)
            claimed.append(Claimed(seq, update_id, chat, body, attempts + 1, stored, False, turns.hold(seq, chat)))
        return claimed

    def _take_quietly(self, turns: Turns, limit: int) -> list[Claimed]:
        """The same after an end that is noted already, which must not fail for it: whoever asks next meets the trouble again."""
        try:
            return self._take(turns, limit)
        except Exception:
            if self._notes is not None and self._notes.replaced:
                raise  # the end stands nowhere: another process has taken over
            return []

    def _next(self, turns: Turns) -> Found | None:
        notes = self._notes
        assert notes is not None
        if notes.replaced:
            raise taken_over(str(self._database.path))
        busy = turns.busy_keys()
        if notes.are_due or not notes.has_room:
            with self._writing(turns):
                pass
        found = self._window.take(busy)
        if found is not None:
            return found
        settles = notes.ended or len(notes.begun) > _FEW
        with self._writing(turns) if settles else self._database.reading() as db:
            self._check_run(db, turns)
            self._window.fill(partial(_waiting, db, begun=() if settles else list(notes.begun)), busy)
        return self._window.take(busy)

    @contextmanager
    def _writing(self, turns: Turns | None, *, durable: bool = False, tidy: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that settles the notes first, and in the end sweeps what is done, when there is enough of it or `tidy` is set."""
        notes = self._notes
        if turns is None or turns.pid != os.getpid() or notes is None or notes.replaced or not (notes.begun or notes.ended):
            notes = None  # there are none, or they are those of the process that this one was forked from, or of an earlier one
        unswept = self._unswept
        with self._database.transaction(durable=durable) as db:
            if notes is not None:
                assert turns is not None
                self._check_run(db, turns)
                notes.settle(db, turns.run)
                unswept = [*unswept, *notes.ended]
            yield db
            if tidy or len(unswept) >= _SWEEP_AT:
                unswept = sweep(db, unswept)
        self._unswept = unswept
        if notes is not None:
            notes.settled()

    # ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _convict(self, db: sqlite3.Connection) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Apply the suspects' rules to what an earlier run left; returns the ids of what it left, and the dead letters that came of it."""
        left = db.execute("SELECT seq, update_id, state, alone FROM inbox WHERE state IN ('running', 'yielded') ORDER BY seq").fetchall()
        in_handler = [(seq, alone) for seq, _, state, alone in left if state == "running"]
        buried: tuple[int, ...] = ()
        db.execute("UPDATE inbox SET state = 'waiting', attempts = attempts + 1 WHERE state IN ('running', 'yielded')")
        if len(in_handler) == 1:
            [(seq, alone)] = in_handler
            db.execute("UPDATE inbox SET suspect = 0 WHERE suspect")
            db.execute("UPDATE inbox SET suspect = 1, alone = ? WHERE seq = ?", (alone + 1, seq))
            if alone + 1 >= DEATHS_ALONE:
                buried = (bury_row(db, seq, DIED_ALONE, self._now(), handed_out=0),)
        else:
            db.executemany("UPDATE inbox SET suspect = 1 WHERE seq = ?", [(seq,) for seq, _ in in_handler])
        return tuple(update_id for _, update_id, _, _ in left), buried

    def _hand_out(self, db: sqlite3.Connection, turns: Turns, limit: int) -> list[Claimed]:
        """Mark what may run next as running, in `turns` too."""
        if limit <= 0 or turns.blocked:
            return []
        if turns.suspect is not None:
            return self._hand_out_suspect(db, turns)
        claimed: list[Claimed] = []
        busy = turns.busy_keys()
        while len(claimed) < limit:
            found = next(_waiting(db, busy, limit=1), None)
            if found is None:
                break
            claimed.append(self._start(db, turns, found, alone=False))
            busy += [found[2]] if found[2] else []
        return claimed

    def _hand_out_suspect(self, db: sqlite3.Connection, turns: Turns) -> list[Claimed]:
        """The next suspect, or what stands before it in its chat; alone."""
        while (suspect := turns.suspect) is not None:
            found = db.execute(_ROW, (suspect,)).fetchone()
            if found is None:
                turns.forget_suspect(suspect)
                continue
            if found[2]:
                found = db.execute(_HEAD, (found[2],)).fetchone()
            return [self._start(db, turns, sound(found), alone=True)]
        return self._hand_out(db, turns, 1)

    def _start(self, db: sqlite3.Connection, turns: Turns, found: Found, *, alone: bool) -> Claimed:
        seq, update_id, chat, stored, attempts, body = found
        db.execute("UPDATE inbox SET state = 'running', run = ? WHERE seq = ?", (turns.run, seq))
        ticket = turns.hold(seq, chat, alone=alone)
        return Claimed(seq, update_id, chat, body, attempts + 1, stored, alone, ticket)

    def _end(self, turns: Turns, claimed: Claimed, changes: EncodedChanges, reason: str | None, limit: int) -> list[Claimed]:
        turns = turns.copy()
        with self._writing(turns) as db:
            # A row that is not ours any more also tells that another process handles now; no claim of ours stands then.
            if not db.execute(f"UPDATE inbox SET state = 'done' WHERE seq = ? AND {_OWN}", (claimed.row, turns.run)).rowcount:
                raise taken_over(str(self._database.path))
            if reason is not None:
                bury_row(db, claimed.row, reason, self._now(), handed_out=1)
            write_changes(db, changes, self._now())
            turns.end(claimed.row)
            following = [] if self._may_note(turns) else self._hand_out(db, turns, limit)
        self._turns = turns
        self._unswept.append(claimed.row)
        return self._take_quietly(turns, limit) if self._may_note(turns) else following

    def _mark(self, claimed: Claimed, turns: Turns, state: str) -> None:
        with self._writing(turns) as db:
            if not db.execute(f"UPDATE inbox SET state = ? WHERE seq = ? AND {_OWN}", (state, claimed.row, turns.run)).rowcount:
                raise taken_over(str(self._database.path))
        self._turns = turns

    def _check_run(self, db: sqlite3.Connection, turns: Turns) -> None:
        if number(db, "store.run") != turns.run:
            raise taken_over(str(self._database.path))

    def _prune_quietly(self) -> None:
        """Forgetting can wait; a full disk must not fail the call that it rides on."""
        try:
            self.prune()
            self._database.give_back_space()
        except StorageError as problem:
            if not problem.retryable:
                raise
            self._since_pruning = 0


def _waiting(db: sqlite3.Connection, busy: Collection[str], begun: Collection[int] = (), *, limit: int = -1) -> Iterator[Found]:
    """The waiting updates whose key is not busy, except these rows; the oldest first."""
    few = len(busy) <= _FEW
    keys = ", ".join("?" * len(busy)) if few else "SELECT value FROM json_each(?)"
    sql = f"{_COLUMNS} AND chat NOT IN ({keys}) AND seq NOT IN ({', '.join('?' * len(begun))}) ORDER BY seq LIMIT ?"
    cursor = db.execute(sql, (*(busy if few else (json.dumps(list(busy)),)), *begun, limit))
    try:
        yield from map(sound, cursor)
    finally:
        cursor.close()  # what is read in part would keep the log from being moved into the file
