# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The inbox in the database: each verb is one transaction; what this member holds stands in memory too, and is kept when the transaction is committed.

Whoever has a chat's row has what is handled there: the first `running` updates from `since` on. Nothing is written into an update's own row when it is
handed out, or ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from syncbot.errors import StorageError
from syncbot.storage.claims import Claims
from syncbot.storage.codec import encode_call, encode_changes, first_of_each, shorten
from syncbot.storage.postgres.albums import forget_albums, insert_with_albums, known_ids, seconds_to_next
from syncbot.storage.postgres.claiming import Wanted, hand_out
from syncbot.storage.postgres.data import forget_states, set_fact, write_changes
from syncbot.storage.postgres.inbox_rows import (
    STORE,
    batch,
    bury_rows,
    count_waiting,
    end_rows,
    fold_tally,
    forget_dead_letters,
    forget_ids,
    free_chats,
    lock_chats,
    lock_rows,
    wait_in_chats,
)
from syncbot.storage.postgres.members.holding import Gone, Holding
from syncbot.storage.postgres.mending import mend
from syncbot.storage.postgres.questions import open_question
from syncbot.storage.postgres.sending.outbox import queue_calls
from syncbot.storage.postgres.server.database import PgDatabase, forget_marks
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.data import DataConflict
from syncbot.storage.promises.inbox import Claimed, Counts, End, Incoming, Recovery, Settled
from syncbot.storage.promises.questions import QuestionOpening
from syncbot.storage.promises.store import StoreOptions

_PRUNE_AT = 10_000  # stored updates between two rounds of forgetting

_COUNTS = """SELECT (SELECT coalesce(sum(waiting), 0) FROM syncbot.tally WHERE bot = %(bot)s)::bigint,
    (SELECT coalesce(sum(running), 0) FROM syncbot.chat WHERE bot = %(bot)s AND owner <> 0)::bigint,
    (SELECT count(*) FROM syncbot.inbox WHERE bot = %(bot)s AND owner <> 0 AND state <> 'waiting'),
    (SELECT i.stored FROM syncbot.chat AS c JOIN syncbot.inbox AS i ON i.bot = c.bot AND i.seq = c.since
        WHERE c.bot = %(bot)s AND c.owner = 0 AND c.suspect = 0 AND c.since IS NOT NULL ORDER BY c.since LIMIT 1),
    (SELECT min(i.stored) FROM syncbot.chat AS c JOIN syncbot.inbox AS i ON i.bot = c.bot AND i.seq = c.since
        WHERE c.bot = %(bot)s AND c.owner = 0 AND c.suspect <> 0),
    (SELECT min(b.stored) FROM syncbot.chat AS c CROSS JOIN LATERAL (
        SELECT i.stored FROM syncbot.inbox AS i WHERE i.bot = c.bot AND i.lane = c.key AND i.state = 'waiting' AND i.seq >= c.since
        ORDER BY i.seq OFFSET c.running LIMIT 1) AS b WHERE c.bot = %(bot)s AND c.owner <> 0),
    (SELECT coalesce(max(seq), 0) FROM syncbot.seen WHERE bot = %(bot)s)"""

_ASKING = "EXISTS (SELECT 1 FROM syncbot.question AS q WHERE q.bot = i.bot AND q.seq = i.seq)"
_PUT_BACK = f"""UPDATE syncbot.inbox AS i SET owner = 0, state = CASE WHEN {_ASKING} THEN 'asking' ELSE 'waiting' END
    FROM (SELECT bot, seq, state FROM syncbot.inbox WHERE bot = %s AND seq = ANY (%s)) AS b
    WHERE i.bot = b.bot AND i.seq = b.seq AND (b.state = 'yielded' OR {_ASKING}) RETURNING i.lane, i.seq, b.state, i.state"""


class PgInbox:
    """`syncbot.storage.promises.queues.Inbox` in PostgreSQL.

    Args:
        database: the database.
        now: the time in seconds since 1970, for what is stored; leases go by the database's clock.
        options: how it behaves.
        held: what this process holds.
    """

    def __init__(self, database: PgDatabase, now: Callable[[], float], options: StoreOptions, held: Holding) -> None:
        self._database = database
        self._now = now
        self._options = options
        self._held = held
        self.before_leaving: Callable[[Sequence[int]], object] = lambda _: None
        """Told of the rows whose claims are about to be given back; what it raises keeps them."""
        self.on_ended: Callable[[Sequence[int]], object] = lambda _: None
        """Told of the rows that have ended."""
        self._since_pruning = 0

    def store(self, updates: Sequence[Incoming], *, next_offset: int | None = None) -> int:
        given = first_of_each(updates)
        if not given and next_offset is None:
            return 0
        number = 0
        since = self._now() - self._options.window_seconds
        if next_offset is None and not any(update.album for update in given.values()):
            # One statement: where the connection breaks, the caller repeats it, and what stands there already is known.
            [(number,)] = self._database.rows(STORE, batch(self._database.bot, list(given.values()), self._now()) | {"since": since})
        else:
            number = self._store_in_steps(list(given.values()), since, next_offset)
        if number:
            self._database.news.tell()
        self._since_pruning += number
        if self._since_pruning >= _PRUNE_AT:
            self._since_pruning = 0
            with suppress(StorageError):  # forgetting can wait
                self.prune()
        return number

    def _store_in_steps(self, updates: Sequence[Incoming], since: float, next_offset: int | None) -> int:
        bot, number = self._database.bot, 0
        with self._database.transaction() as db:
            if next_offset is not None:  # first: who polls stores what another one has just got as well behind that one, and not in between
                set_fact(db, bot, "store.next_offset", str(next_offset))
            if any(update.album for update in updates):
                known = known_ids(db, bot, [update.update_id for update in updates], since)
                fresh = [update for update in updates if update.update_id not in known]
                insert_with_albums(db, bot, fresh, self._now())
                number = len(fresh)
            elif updates:
                [(number,)] = db.execute(STORE, batch(bot, updates, self._now()) | {"since": since}).fetchall()
        return number

    def next_offset(self) -> int | None:
        rows = self._database.rows("SELECT value FROM syncbot.meta WHERE bot = %s AND name = 'store.next_offset'", (self._database.bot,))
        return int(rows[0][0]) if rows else None

    def recover(self) -> Recovery:
        recovery = self._held.recover()
        with suppress(StorageError):
            self.maintain()
        return recovery

    def claim(self, limit: int = 1, *, per_key: int = 1) -> list[Claimed]:
        return self.settle((), claim=limit, per_key=per_key).claimed

    def settle(self, ends: Sequence[End], *, claim: int = 0, per_key: int = 1) -> Settled:
        changes = [encode_changes(end.changes) for end in ends]
        with self._held.lock:
            claims = self._held.handling()
            handed, self._held.handed = self._held.handed, []
            lost = tuple(end.claimed for end in ends if not claims.holds(end.claimed))
            mine = [(end, change) for end, change in zip(ends, changes, strict=True) if end.claimed not in lost]
            if not mine and (claim <= 0 or claims.blocked):
                return Settled(handed, lost)
            refused: list[tuple[Claimed, tuple[DataConflict, ...]]] = []
            album_seconds, now = None, self._now()
            try:
                with self._held.writing(claims) as (db, work):
                    if mine:
                        conflicts = write_changes(db, self._database.bot, [change for _, change in mine], self._now())
                        refused = [(end.claimed, wrong) for (end, _), wrong in zip(mine, conflicts, strict=True) if wrong]
                        self._end(db, work.claims, [end for (end, _), wrong in zip(mine, conflicts, strict=True) if not wrong])
                    if claim > 0 and not work.claims.blocked:
                        work.claimed += self._hand_out(db, work.claims, claim, per_key, now)
                        if len({one.key or one.row for one in work.claimed}) < claim:
                            album_seconds = seconds_to_next(db, self._database.bot, now)
            except Gone:
                return Settled([], tuple(end.claimed for end in ends))
            except BaseException:
                self._held.handed = handed + self._held.handed
                raise
            running = {one.row for one, _ in refused}
            if any(end.changes.answers for end in ends):  # somebody may wait for one elsewhere
                self._database.news.tell()
            self.on_ended([end.claimed.row for end in ends if end.claimed.row not in running])
            return Settled([*handed, *work.claimed], lost, tuple(refused), album_seconds)

    def release(self, *claimed: Claimed) -> None:
        self.before_leaving([one.row for one in claimed])
        with self._held.lock:
            claims = self._held.handling()
            mine = [one for one in claimed if claims.holds(one)]
            if not mine:
                return
            with suppress(Gone), self._held.writing(claims) as (db, work):
                self._put_back(db, work.claims, mine)
        self._database.news.tell()

    def yield_turn(self, claimed: Claimed, opening: QuestionOpening | None = None) -> None:
        calls = [encode_call(call) for call in opening.calls] if opening is not None else []
        self.before_leaving((claimed.row,))
        bot = self._database.bot
        with self._held.lock:
            claims = self._held.holding(claimed)
            with self._held.gone_means_claim_gone(), self._held.writing(claims) as (db, work):
                if not work.claims.yield_turn(claimed.row):
                    return
                lane = lane_of(claimed)
                lock_chats(db, bot, [lane])
                sql = "UPDATE syncbot.inbox SET state = 'yielded', owner = %s, suspect = 0 WHERE bot = %s AND seq = %s"
                db.execute(sql, (work.claims.run, bot, claimed.row))
                count_waiting(db, bot, -1)
                self._leave_chats(db, work.claims, [lane])
                if opening is not None:
                    open_question(db, bot, opening.question)
                queue_calls(db, bot, calls, self._now())
        self._database.news.tell()

    def take_turn(self, claimed: Claimed) -> bool:
        bot = self._database.bot
        with self._held.lock:
            claims = self._held.holding(claimed)
            if not claims.has_yielded(claimed.row):
                return True
            if not claims.copy().take_turn(claimed.row):
                return False
            with self._held.gone_means_claim_gone(), self._held.writing(claims) as (db, work):
                work.claims.take_turn(claimed.row)
                lane = lane_of(claimed)
                sql = """INSERT INTO syncbot.chat AS c (bot, key, since, owner, running) VALUES (%s, %s, %s, %s, 1)
                    ON CONFLICT (bot, key) DO UPDATE SET since = excluded.since, owner = excluded.owner, running = 1 WHERE c.owner = 0 RETURNING key"""
                if not db.execute(sql, (bot, lane, claimed.row, work.claims.run)).fetchall():
                    work.claims.yield_turn(claimed.row)  # somebody else handles another update of the chat
                    return False
                sql = "UPDATE syncbot.inbox SET state = 'waiting', owner = 0 WHERE bot = %s AND seq = %s AND state = 'yielded' RETURNING seq"
                count_waiting(db, bot, len(db.execute(sql, (bot, claimed.row)).fetchall()))
            return True

    def counts(self) -> Counts:
        [(held, running, yielded, *oldest, newest)] = self._database.rows(_COUNTS, {"bot": self._database.bot})
        return Counts(max(0, held - running), running + yielded, min((at for at in oldest if at is not None), default=None), newest)

    def maintain(self) -> None:
        """Forget what is old, and look for what nobody would handle."""
        self.prune()
        mend(self._database)

    def prune(self) -> None:
        """Forget old ids, dead letters and states, unless another process is just about it."""
        now, options, bot = self._now(), self._options, self._database.bot
        with self._database.transaction() as db:
            [(is_free,)] = db.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('syncbot prune', %s))", (bot,)).fetchall()
            if is_free:
                forget_marks(db, bot)
                forget_ids(db, bot, now - options.window_seconds, options.window_ids)
                forget_dead_letters(db, bot, now, options)
                forget_states(db, bot, now, options.state_seconds)
                forget_albums(db, bot, now)
                fold_tally(db, bot)

    # ── within a transaction ─────────────────────────────────────────────────────────────────────────────────────────

    def _end(self, db: Connection, claims: Claims, ends: Sequence[End]) -> None:
        """Take these out, of `claims` too, and bury those that failed."""
        if not ends:
            return
        bot, lanes = self._database.bot, sorted({lane_of(end.claimed) for end in ends})
        lock_chats(db, bot, lanes)
        buried = [(end.claimed.row, shorten(end.reason)) for end in ends if end.reason is not None and end.keep]
        bury_rows(db, bot, buried, self._now(), handed_out=1)
        end_rows(db, bot, [end.claimed.row for end in ends])
        for end in ends:
            claims.end(end.claimed.row)
        self._leave_chats(db, claims, lanes)

    def _put_back(self, db: Connection, claims: Claims, claimed: Sequence[Claimed]) -> None:
        """Let these wait again, in `claims` too; one whose question is open for its answer."""
        bot, lanes = self._database.bot, sorted({lane_of(one) for one in claimed})
        lock_chats(db, bot, lanes)
        for one in claimed:
            claims.put_back(one.row)
            claims.forget_suspect(one.row)  # it is one in its row, and whoever claims it finds that
        rows = [one.row for one in claimed]
        lock_rows(db, bot, rows)  # first, so that an answer that another process has just brought is seen
        found = db.execute(_PUT_BACK, (bot, rows)).fetchall()
        count_waiting(db, bot, -sum((before, state) == ("waiting", "asking") for _, _, before, state in found))
        self._leave_chats(db, claims, lanes)
        wait_in_chats(db, bot, [(lane, seq) for lane, seq, before, state in found if (before, state) == ("yielded", "waiting")])

    def _leave_chats(self, db: Connection, claims: Claims, lanes: Sequence[str]) -> None:
        """Something is not handled any more in these chats, which are locked: those in which nothing is left of it are free."""
        bot, left = self._database.bot, {lane: rows for lane in lanes if (rows := claims.running_of(lane))}
        free_chats(db, bot, [lane for lane in lanes if lane not in left], claims.run)
        for lane, rows in left.items():
            sql = "UPDATE syncbot.chat SET running = %s, since = %s WHERE bot = %s AND key = %s AND owner = %s"
            db.execute(sql, (len(rows), min(rows), bot, lane, claims.run))

    def _hand_out(self, db: Connection, claims: Claims, limit: int, per_key: int, now: float) -> list[Claimed]:
        found = hand_out(db, self._database.bot, Wanted(claims.run, limit, per_key, claims.is_idle, now))
        return [
            Claimed(
                row.seq,
                row.update_id,
                row.chat,
                row.json,
                row.attempts + 1,
                row.stored,
                row.alone,
                claims.hold(row.seq, row.chat, alone=row.alone),
                row.is_awaited,
                row.has_steps,
            )
            for row in found
        ]


def lane_of(claimed: Claimed) -> str:
    """Whose turn it takes: the chat's, or one of its own."""
    return claimed.key or f"\x01{claimed.row}"
