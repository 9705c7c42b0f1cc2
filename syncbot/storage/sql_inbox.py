# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The inbox in the state file."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence

from syncbot.errors import StorageError
from syncbot.storage.base import DEATHS_ALONE, DIED_ALONE, NO_CHANGES, Changes, Claimed, Counts, Incoming, Recovery, StoreOptions
from syncbot.storage.codec import EncodedChanges, decode, encode_changes, int64, shorten
from syncbot.storage.database import Database
from syncbot.storage.sql_data import write_changes
from syncbot.storage.sql_rows import bury_row, forget_dead_letters, forget_ids, insert_waiting, known_ids, number, set_number, sweep
from syncbot.storage.turns import Turns, taken_over

_SWEEP_AT = 64  # done rows that may lie about where no batch comes by to sweep them (because other processes store)
_PRUNE_AT = 2_000  # stored updates between two rounds of forgetting

_COLUMNS = "SELECT seq, update_id, chat, stored, attempts, (SELECT json FROM body WHERE body.seq = inbox.seq) FROM inbox WHERE state = 'waiting'"
_NEXT = f"{_COLUMNS} AND chat NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1"
_FEW = 16
_NEXT_BESIDE_FEW = tuple(f"{_COLUMNS} AND chat NOT IN ({', '.join('?' * busy)}) ORDER BY seq LIMIT 1" for busy in range(_FEW + 1))
"""The same, much faster, beside so many busy keys."""
_HEAD = f"{_COLUMNS} AND chat = ? ORDER BY seq LIMIT 1"
_ROW = f"{_COLUMNS} AND seq = ?"
_OWN = "run = ? AND state IN ('running', 'yielded')"


_Found = tuple[int, int, str, float, int, bytes]


class SqlInbox:
    """`syncbot.storage.base.Inbox` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = database
        self._now = now
        self._options = options
        self._turns: Turns | None = None
        self._unswept: list[int] = []
        self._since_pruning = 0

    def store(self, updates: Sequence[Incoming], *, next_offset: int | None = None) -> int:
        batch: dict[int, Incoming] = {}
        for update in updates:
            batch.setdefault(int64(update.update_id, "the update's id"), update)
        if not batch and next_offset is None:
            return 0
        with self._database.lock:
            with self._database.transaction(durable=True) as db:
                known = known_ids(db, batch, self._now() - self._options.window_seconds)
                fresh = [update for id, update in batch.items() if id not in known]
                insert_waiting(db, fresh, self._now())
                if next_offset is not None:
                    set_number(db, "store.next_offset", next_offset)
                unswept = sweep(db, self._unswept)
            self._unswept = unswept
            self._since_pruning += len(fresh)
            if self._since_pruning >= _PRUNE_AT:
                self._prune_quietly()
        return len(fresh)

    def next_offset(self) -> int | None:
        rows = self._database.rows("SELECT value FROM meta WHERE name = 'store.next_offset'")
        return int(decode(rows[0][0])) if rows else None

    def recover(self) -> Recovery:
        with self._database.lock:
            with self._database.transaction() as db:
                run = number(db, "store.run") + 1
                set_number(db, "store.run", run)
                interrupted, buried = self._convict(db)
                sweep(db, [seq for (seq,) in db.execute("SELECT seq FROM inbox WHERE state = 'done'")])
                suspects = [seq for (seq,) in db.execute("SELECT seq FROM inbox WHERE suspect AND state = 'waiting'")]
                waiting = int(db.execute("SELECT count(*) FROM inbox WHERE state = 'waiting'").fetchone()[0])
            self._turns = Turns(run, suspects)
            self._unswept = []
            self._prune_quietly()
        return Recovery(waiting, interrupted, len(suspects), buried)

    def claim(self, limit: int = 1) -> list[Claimed]:
        with self._database.lock:
            turns = self._handling()
            if turns.blocked:
                return []
            with self._database.transaction() as db:
                self._check_run(db, turns)
                claimed = self._hand_out(db, turns, limit)
            self._turns = turns
            return claimed

    def finish(self, claimed: Claimed, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
        return self._end(claimed, encode_changes(changes), None, claim)

    def bury(self, claimed: Claimed, reason: str, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
        return self._end(claimed, encode_changes(changes), shorten(reason), claim)

    def release(self, *claimed: Claimed) -> None:
        with self._database.lock:
            turns = self._handling()
            with self._database.transaction() as db:
                for one in filter(turns.holds, claimed):
                    db.execute(f"UPDATE inbox SET state = 'waiting' WHERE seq = ? AND {_OWN}", (one.row, turns.run))
                    turns.put_back(one.row)
            self._turns = turns

    def yield_turn(self, claimed: Claimed) -> None:
        with self._database.lock:
            turns = self._holding(claimed)
            if turns.yield_turn(claimed.row):
                self._mark(claimed, turns, "yielded")

    def take_turn(self, claimed: Claimed) -> bool:
        with self._database.lock:
            turns = self._holding(claimed)
            if not turns.take_turn(claimed.row):
                return False
            self._mark(claimed, turns, "running")
            return True

    def counts(self) -> Counts:
        sql = "SELECT coalesce(sum(state = 'waiting'), 0), coalesce(sum(state IN ('running', 'yielded')), 0) FROM inbox"
        with self._database.lock:
            waiting, running = self._database.rows(sql)[0]
            oldest = self._database.rows("SELECT stored FROM inbox WHERE state = 'waiting' ORDER BY seq LIMIT 1") if waiting else []
        return Counts(waiting, running, oldest[0][0] if oldest else None)

    def prune(self) -> None:
        """Forget old ids and old dead letters."""
        now, options = self._now(), self._options
        with self._database.lock:
            with self._database.transaction() as db:
                forget_ids(db, now - options.window_seconds, options.window_ids)
                forget_dead_letters(db, now, options)
            self._since_pruning = 0

    def sweep(self) -> None:
        """Delete what is done and still lies about."""
        with self._database.lock:
            if self._unswept:
                with self._database.transaction() as db:
                    unswept = sweep(db, self._unswept)
                self._unswept = unswept

    def _handling(self) -> Turns:
        if self._turns is None or self._turns.pid != os.getpid():
            raise RuntimeError("this process does not handle updates: take the bot's lock and call recover() first")
        return self._turns.copy()

    def _holding(self, claimed: Claimed) -> Turns:
        turns = self._handling()
        if not turns.holds(claimed):
            raise taken_over(str(self._database.path))
        return turns

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
            found = _next_beside(db, busy)
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
            return [self._start(db, turns, found, alone=True)]
        return self._hand_out(db, turns, 1)

    def _start(self, db: sqlite3.Connection, turns: Turns, found: _Found, *, alone: bool) -> Claimed:
        seq, update_id, chat, stored, attempts, body = found
        db.execute("UPDATE inbox SET state = 'running', run = ? WHERE seq = ?", (turns.run, seq))
        ticket = turns.hold(seq, chat, alone=alone)
        return Claimed(seq, update_id, chat, body, attempts + 1, stored, alone, ticket)

    def _end(self, claimed: Claimed, changes: EncodedChanges, reason: str | None, limit: int) -> list[Claimed]:
        with self._database.lock:
            turns = self._holding(claimed)
            unswept = [*self._unswept, claimed.row]
            with self._database.transaction() as db:
                # A row that is not ours any more also tells that another process handles now; no claim of ours stands then.
                if not db.execute(f"UPDATE inbox SET state = 'done' WHERE seq = ? AND {_OWN}", (claimed.row, turns.run)).rowcount:
                    raise taken_over(str(self._database.path))
                if reason is not None:
                    bury_row(db, claimed.row, reason, self._now(), handed_out=1)
                write_changes(db, changes, self._now())
                turns.end(claimed.row)
                following = self._hand_out(db, turns, limit)
                if len(unswept) >= _SWEEP_AT:
                    unswept = sweep(db, unswept)
            self._turns, self._unswept = turns, unswept
            return following

    def _mark(self, claimed: Claimed, turns: Turns, state: str) -> None:
        with self._database.transaction() as db:
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


def _next_beside(db: sqlite3.Connection, busy: list[str]) -> _Found | None:
    """The oldest waiting update whose key is not busy."""
    few = len(busy) <= _FEW
    found: _Found | None = db.execute(_NEXT_BESIDE_FEW[len(busy)] if few else _NEXT, busy if few else (json.dumps(busy),)).fetchone()
    return found
