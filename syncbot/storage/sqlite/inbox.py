# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The inbox in the state file. Each verb is one transaction; who holds what stands in memory too, and is kept when the transaction is committed."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.storage.claims import Claims, taken_over
from syncbot.storage.codec import Unreadable, encode_call, encode_changes, first_of_each, shorten
from syncbot.storage.promises.data import DataConflict
from syncbot.storage.promises.inbox import DEATHS_ALONE, DIED_ALONE, Claimed, Counts, End, Incoming, Recovery, Settled
from syncbot.storage.promises.journal import JournalKey
from syncbot.storage.promises.questions import QuestionOpening
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.sqlite.albums import forget_albums, held, insert_with_albums
from syncbot.storage.sqlite.data import conflicts_of, forget_states, write_changes
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.inbox_rows import bury_row, forget_dead_letters, forget_ids, known_ids, number, set_aside, set_number, sound, sweep
from syncbot.storage.sqlite.journal import HAS_STEPS, end_steps, forget_questions, open_question, recover_questions, sweep_steps
from syncbot.storage.sqlite.outbox import queue_calls
from syncbot.storage.sqlite.shapes import fact, read_time
from syncbot.storage.sqlite.upgrade.turns_file import apply_turns_file

_log = logging.getLogger(__name__)

_SWEEP_AT = 64  # done rows that may lie about where no batch comes by to sweep them (because other processes store)
_PRUNE_AT = 2_000  # stored updates between two rounds of forgetting

_LONG_SECONDS = 30 * 86_400.0

_NEWEST = "SELECT max(at) FROM (SELECT max(at) AS at FROM seen UNION ALL SELECT max(at) FROM conversation UNION ALL SELECT max(died) FROM dead_letter)"
_LISTED = "(SELECT value FROM json_each(?))"
_ROWS = f"SELECT seq, update_id, chat, stored, attempts, json, {HAS_STEPS} FROM inbox LEFT JOIN body USING (seq) WHERE state = 'waiting'"
_COUNTS = """SELECT coalesce(sum(state = 'waiting'), 0), coalesce(sum(state IN ('running', 'yielded')), 0),
    (SELECT stored FROM inbox WHERE state = 'waiting' ORDER BY seq LIMIT 1), coalesce(max(seq), 0) FROM inbox"""
_COMPLETE = "NOT EXISTS (SELECT 1 FROM json_each(?) WHERE json_extract(value, '$[0]') = chat AND json_extract(value, '$[1]') <= seq)"
_PUT_BACK = "CASE WHEN EXISTS (SELECT 1 FROM question WHERE question.seq = inbox.seq) THEN 'asking' ELSE 'waiting' END"
_OWN = "run = ? AND state IN ('running', 'yielded')"

Row = tuple[int, int, str, float, int, bytes, int]
"""seq, update_id, chat, stored, attempts, body, whether it has steps"""


class SqlInbox:
    """`syncbot.storage.promises.queues.Inbox` in SQLite."""

    def __init__(self, database: Database, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = database
        self._now = now
        self._options = options
        self._claims: Claims | None = None
        self._unswept: list[int] = []
        self._since_pruning = 0

    def store(self, updates: Sequence[Incoming], *, next_offset: int | None = None) -> int:
        batch = first_of_each(updates)
        if not batch and next_offset is None:
            return 0
        with self._database.lock:
            with self._database.transaction(durable=True) as db:
                known = known_ids(db, batch, self._now() - self._options.window_seconds)
                fresh = [update for id, update in batch.items() if id not in known]
                insert_with_albums(db, fresh, self._now())
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
        try:
            return fact(rows[0][0], "the offset") if rows else None
        except Unreadable as problem:
            _log.error("%s in the state file %s; it is not needed", problem, self._database.path)
            return None

    def recover(self) -> Recovery:
        turns_file = Path(f"{self._database.path}-turns")
        with self._database.lock:
            with self._database.transaction() as db:
                before = number(db, "store.run")
                set_aside(db, self._now())
                apply_turns_file(db, turns_file, before)
                set_number(db, "store.run", before + 1)
                recover_questions(db)
                interrupted, buried = self._mark_suspects(db)
                sweep(db, [seq for (seq,) in db.execute("SELECT seq FROM inbox WHERE state = 'done'")])
                sweep_steps(db)
                suspects = [seq for (seq,) in db.execute("SELECT seq FROM inbox WHERE suspect AND state = 'waiting'")]
                waiting = int(db.execute("SELECT count(*) FROM inbox WHERE state = 'waiting'").fetchone()[0])
            turns_file.unlink(missing_ok=True)
            self._claims = Claims(before + 1, suspects)
            self._unswept = []
            [(newest,)] = self._database.rows(_NEWEST)
            if not isinstance(newest, float) or self._now() - newest < _LONG_SECONDS:  # else the clock may be ahead, and an hour later it is looked again
                self._prune_quietly()
        return Recovery(waiting, interrupted, len(suspects), buried, before + 1)

    def claim(self, limit: int = 1, *, per_key: int = 1) -> list[Claimed]:
        return self.settle((), claim=limit, per_key=per_key).claimed

    def settle(self, ends: Sequence[End], *, claim: int = 0, per_key: int = 1) -> Settled:
        changes = [encode_changes(end.changes) for end in ends]
        with self._database.lock:
            claims = self._handling()
            lost = tuple(end.claimed for end in ends if not claims.holds(end.claimed))
            mine = [(end, change) for end, change in zip(ends, changes, strict=True) if end.claimed not in lost]
            if not mine and (claim <= 0 or claims.blocked):
                return Settled([], lost)
            claims = claims.copy()
            damage: Unreadable | None = None
            refused: list[tuple[Claimed, tuple[DataConflict, ...]]] = []
            ended: list[End] = []
            with self._database.transaction() as db:
                if number(db, "store.run") != claims.run:
                    raise taken_over(str(self._database.path))
                for end, change in mine:
                    if conflicts := conflicts_of(db, change):
                        refused.append((end.claimed, conflicts))
                    else:
                        write_changes(db, change, self._now())
                        ended.append(end)
                self._end(db, claims, ended)
                unswept = [*self._unswept, *(end.claimed.row for end in ended)]
                try:
                    claimed, album_seconds = self._hand_out(db, claims, claim, per_key)
                except Unreadable as problem:  # what has ended is to be written all the same
                    claimed, album_seconds, damage = [], None, problem
                if len(unswept) >= _SWEEP_AT:
                    unswept = sweep(db, unswept)
            self._claims = claims
            self._unswept = unswept
            if damage is not None:
                with self._database.reading():  # which says what is damaged, and how it is mended
                    raise damage
            return Settled(claimed, lost, tuple(refused), album_seconds)

    def release(self, *claimed: Claimed) -> None:
        with self._database.lock:
            claims = self._handling().copy()
            mine = [one.row for one in claimed if claims.holds(one)]
            if not mine:
                return
            with self._database.transaction() as db:
                db.execute(f"UPDATE inbox SET state = {_PUT_BACK} WHERE seq IN {_LISTED} AND {_OWN}", (json.dumps(mine), claims.run))
            for row in mine:
                claims.put_back(row)
            self._claims = claims

    def yield_turn(self, claimed: Claimed, opening: QuestionOpening | None = None) -> None:
        calls = [encode_call(call) for call in opening.calls] if opening is not None else []
        with self._database.lock:
            claims = self._holding(claimed)
            if claims.yield_turn(claimed.row):
                with self._database.transaction() as db:
                    self._set_state(db, claims, "yielded", [claimed.row])
                    if opening is not None:
                        open_question(db, opening.question)
                    queue_calls(db, calls, self._now())
                self._claims = claims

    def take_turn(self, claimed: Claimed) -> bool:
        with self._database.lock:
            claims = self._holding(claimed)
            if not claims.take_turn(claimed.row):
                return False
            with self._database.transaction() as db:
                self._set_state(db, claims, "running", [claimed.row])
            self._claims = claims
            return True

    def counts(self) -> Counts:
        with self._database.reading() as db:
            waiting, running, oldest, newest = db.execute(_COUNTS).fetchone()
            return Counts(waiting, running, oldest if oldest is None else read_time(oldest), newest)

    def maintain(self) -> None:
        """Forget what is old, and let wait again what is marked as handled and is not: something else has written that since `recover`."""
        self.prune()
        with self._database.lock:
            claims = self._claims
            if claims is None or claims.pid != os.getpid():
                return
            marked = self._database.rows(f"SELECT seq FROM inbox WHERE state NOT IN ('waiting', 'done') AND state IS NOT {_PUT_BACK}")
            left = [seq for (seq,) in marked if not claims.has_row(seq)]
            if not left:
                return
            with self._database.transaction() as db:
                if number(db, "store.run") != claims.run:
                    raise taken_over(str(self._database.path))
                db.execute(f"UPDATE inbox SET state = {_PUT_BACK} WHERE seq IN {_LISTED}", (json.dumps(left),))
        _log.error(
            "%d updates in the state file %s would have been handled by nobody: something else has written into it; they are handled now",
            len(left),
            self._database.path,
        )

    def prune(self) -> None:
        """Forget old ids, dead letters and states."""
        now, options = self._now(), self._options
        with self._database.lock:
            with self._database.transaction() as db:
                forget_ids(db, now - options.window_seconds, options.window_ids)
                forget_dead_letters(db, now, options)
                forget_states(db, now, options.state_seconds)
                forget_albums(db, now)
            self._since_pruning = 0

    def close(self) -> None:
        """Delete what is done and still lies about.

        Raises:
            StorageError: it could not be written; the next start does it.
        """
        with self._database.lock:
            if self._unswept and self._claims is not None and self._claims.pid == os.getpid():
                with self._database.transaction() as db:
                    sweep(db, self._unswept)
                self._unswept = []

    def _handling(self) -> Claims:
        """What this process holds; a transaction changes a copy of it."""
        if self._claims is None or self._claims.pid != os.getpid():
            raise RuntimeError("this process does not handle updates: take the bot's lock and call recover() first")
        return self._claims

    def _holding(self, claimed: Claimed) -> Claims:
        """A copy of what this process holds, this claim among it."""
        claims = self._handling()
        if not claims.holds(claimed):
            raise taken_over(str(self._database.path))
        return claims.copy()

    # ── within a transaction ─────────────────────────────────────────────────────────────────────────────────────────

    def _mark_suspects(self, db: sqlite3.Connection) -> tuple[tuple[int, ...], tuple[int, ...]]:
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

    def _end(self, db: sqlite3.Connection, claims: Claims, ends: Sequence[End]) -> None:
        """Mark these as done, in `claims` too, and bury those that failed."""
        if ends:
            self._set_state(db, claims, "done", [end.claimed.row for end in ends])
            end_steps(db, (JournalKey(end.claimed.row) for end in ends))
            forget_questions(db, (end.claimed.row for end in ends))
        for end in ends:
            if end.reason is not None and end.keep:
                bury_row(db, end.claimed.row, shorten(end.reason), self._now(), handed_out=1)
            claims.end(end.claimed.row)

    def _hand_out(self, db: sqlite3.Connection, claims: Claims, limit: int, per_key: int) -> tuple[list[Claimed], float | None]:
        """Mark what may run next as running, in `claims` too; tells when the next album is complete as well."""
        if limit <= 0 or claims.blocked:
            return [], None
        if (suspect := claims.suspect) is not None:
            found = _suspect(db, suspect)
            if found is None:
                claims.forget_suspect(suspect)
                return self._hand_out(db, claims, limit, per_key)
            return self._start(db, claims, [found], alone=True), None
        chosen: list[Row] = []
        busy = claims.busy_keys()
        now = self._now()
        collected = held(db, now)
        albums = json.dumps([[chat, seq] for chat, seq, _ in collected])
        while len(chosen) < limit:
            rows = _waiting(db, busy, [row[0] for row in chosen], limit - len(chosen), albums)
            found_now = list(_one_of_each_key(rows))
            chosen += found_now
            busy |= {row[2] for row in found_now} - {""}
            if len(rows) == len(found_now):
                break  # enough was found, or no more of other keys
        started = self._start(db, claims, [row for first in chosen for row in _run_from(db, first, per_key, albums)], alone=False)
        return started, min((ready - now for _, _, ready in collected), default=None)

    def _start(self, db: sqlite3.Connection, claims: Claims, rows: Sequence[Row], *, alone: bool) -> list[Claimed]:
        if rows:
            db.execute(f"UPDATE inbox SET state = 'running', run = ? WHERE seq IN {_LISTED}", (claims.run, json.dumps([row[0] for row in rows])))
        return [
            Claimed(seq, update_id, chat, body, attempts + 1, stored, alone, claims.hold(seq, chat, alone=alone), has_steps=bool(has_steps))
            for seq, update_id, chat, stored, attempts, body, has_steps in rows
        ]

    def _set_state(self, db: sqlite3.Connection, claims: Claims, state: str, rows: Sequence[int]) -> None:
        changed = db.execute(f"UPDATE inbox SET state = ? WHERE seq IN {_LISTED} AND {_OWN}", (state, json.dumps(rows), claims.run)).rowcount
        if changed != len(rows):  # another process handles now, and no claim of ours stands
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


def _waiting(db: sqlite3.Connection, busy: Iterable[str], chosen: Iterable[int], limit: int, albums: str) -> list[Row]:
    """The oldest waiting updates whose key is not busy, without those that are chosen already, and those from an album on that is still collected."""
    sql = f"{_ROWS} AND chat NOT IN {_LISTED} AND seq NOT IN {_LISTED} AND {_COMPLETE} ORDER BY seq LIMIT ?"
    return [sound(row) for row in db.execute(sql, (json.dumps(list(busy)), json.dumps(list(chosen)), albums, limit)).fetchall()]


def _run_from(db: sqlite3.Connection, first: Row, per_key: int, albums: str) -> list[Row]:
    """The first waiting update of a key and those behind it, so many at most."""
    if per_key == 1 or not first[2]:
        return [first]
    sql = f"{_ROWS} AND chat = ? AND {_COMPLETE} ORDER BY seq LIMIT ?"
    return [sound(row) for row in db.execute(sql, (first[2], albums, per_key)).fetchall()]


def _suspect(db: sqlite3.Connection, seq: int) -> Row | None:
    """A suspect that waits, or what stands before it in its chat."""
    found = db.execute(f"{_ROWS} AND seq = ?", (seq,)).fetchone()
    if found is not None and found[2]:
        found = db.execute(f"{_ROWS} AND chat = ? ORDER BY seq LIMIT 1", (found[2],)).fetchone()
    return None if found is None else sound(found)


def _one_of_each_key(rows: Iterable[Row]) -> Iterator[Row]:
    """The first row of each key; of "" all."""
    taken = set[str]()
    for row in rows:
        if row[2] not in taken:
            yield row
            taken |= {row[2]} - {""}
