"""What this process holds as a member: it stands in memory, and is kept when the transaction that changes it is committed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncbot.errors import StorageError
from syncbot.storage.claims import Claims, claim_gone
from syncbot.storage.postgres.members.member import Membership
from syncbot.storage.postgres.members.taking_over import TakenOver, adopt_suspects, cut_off_frozen, free_unasked, take_over
from syncbot.storage.postgres.server.database import CommitUnknown, Mark, PgDatabase
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.inbox import Claimed, Recovery

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import SharedQuestions

_log = logging.getLogger(__name__)


_HOLD = "SELECT 1 FROM syncbot.member WHERE bot = %s AND id = %s FOR KEY SHARE"
"""Has nobody take a member for dead until the transaction ends."""


class Gone(Exception):
    pass


@dataclass(slots=True)
class Work:
    """What a transaction makes of what this member holds."""

    claims: Claims
    claimed: list[Claimed]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A transaction of which nobody knows yet whether it was committed."""

    transaction: Mark
    work: Work


class Holding:
    """What this process holds, and its transactions as a member.

    Args:
        database: the database.
        now: the time in seconds since 1970.
        questions: what handlers wait for in any of the processes.
    """

    def __init__(self, database: PgDatabase, now: Callable[[], float], questions: SharedQuestions) -> None:
        self.questions = questions
        self._database = database
        self._now = now
        self.lock = threading.RLock()
        """Whoever looks at what is held, and changes it, has it around the transaction too."""
        self.claims: Claims | None = None
        self.member: Membership | None = None
        self.on_polling_lost: Callable[[], object] = lambda: None
        self.on_news: Callable[[], object] = lambda: None
        self.number = 1
        self.longest_seconds = 0.0
        self._mode = ""
        self._may_be_free = threading.Event()
        self.handed: list[Claimed] = []
        """What was claimed in a transaction whose answer was lost."""
        self._pending: _Pending | None = None

    def recover(self) -> Recovery:
        """Become a member, and take over what dead ones have left; an earlier membership of this process is dead now.

        Raises:
            StorageError: the database cannot be used. Whoever was a member tries it again with its next verb.
        """
        with self.lock:
            old = self.member
            if old is not None:
                old.cease()
            member = Membership(self._database, self._mode, on_dead=self._take_over, on_gone=self._rejoin)
            try:
                recovery = self._take_over_all(member, old)
            except BaseException:
                member.end()
                member.join()
                raise
            self._database.on_fork_in_child = member.after_fork_in_child
            self._pending, self.handed = None, []
            self.claims, self.member = Claims(member.id), member
            member.on_polling_lost, member.on_news, member.on_seen = lambda: self.on_polling_lost(), lambda: self.on_news(), self._see
            member.start()
            if old is not None:
                old.end()
        return recovery

    def _take_over_all(self, member: Membership, old: Membership | None) -> Recovery:
        """Take over what dead members have left; the earlier one of this process is dead now."""
        bot = self._database.bot
        dead = [id for id in member.dead_ones() if old is None or id != old.id]
        found: list[TakenOver] = []
        if dead or old is not None:
            cut_off_frozen(self._database)
        with self._database.transaction() as db:
            if old is not None:
                found += [taken] if (taken := take_over(db, bot, old.id, member.id, self._now(), certain=True)) else []
            found += [taken for id in dead if (taken := take_over(db, bot, id, member.id, self._now()))]
            adopt_suspects(db, bot, member.id)
            free_unasked(db, bot)
            # The state is looked at last: by it, fresh tables would be read by another index, and whole.
            sql = "SELECT count(*) FILTER (WHERE state = 'waiting') FROM syncbot.inbox WHERE bot = %s AND suspect <> 0"
            [(suspects,)] = db.execute(sql, (bot,)).fetchall()
        interrupted = tuple(id for _, id in sorted(row for taken in found for row in taken.interrupted))
        [(waiting,)] = self._database.rows("SELECT coalesce(sum(waiting), 0)::bigint FROM syncbot.tally WHERE bot = %s", (bot,))
        [(running,)] = self._database.rows("SELECT coalesce(sum(running), 0)::bigint FROM syncbot.chat WHERE bot = %s AND owner <> 0", (bot,))
        return Recovery(max(0, waiting - running), interrupted, suspects, tuple(id for taken in found for id in taken.buried), member.id)

    def _take_over(self, dead: Sequence[int]) -> None:
        """Other members are dead: what they had is handled by whoever claims it. Called by the member's own thread."""
        cut_off_frozen(self._database)
        for id in dead:
            member = self.member
            if member is None or not member.is_valid:
                return
            try:
                with self._database.transaction() as db:
                    self._must_be_there(db.execute(_HOLD, (self._database.bot, member.id)).fetchall(), member.id)
                    taken = take_over(db, self._database.bot, id, member.id, self._now())
            except Gone:  # what it took over would be nobody's
                return
            except StorageError as error:  # it is looked at again
                _log.info("what a dead process had could not be taken over yet: %s", error)
                continue
            if taken is not None:
                again, buried = len(taken.interrupted) - len(taken.buried), len(taken.buried)
                _log.warning("a process that handled updates is gone: %d are handled again, %d went to the dead letters", again, buried)
                self._may_be_free.set()
                self._database.news.look()
                self._database.news.tell()

    def _see(self, number: int, longest_seconds: float) -> None:
        self.number, self.longest_seconds = number, longest_seconds

    def _rejoin(self, gone: Membership) -> bool:
        """This process was taken for dead, or froze: it begins anew. False where it could not."""
        with self.lock, suppress(StorageError):
            if self.member is gone:
                self._begin_anew()
        return self.member is not gone

    def _begin_anew(self) -> None:
        """What this process had is not its own any more."""
        self.recover()
        _log.warning("this process was taken for dead by the others, which handle what it had; it goes on with what comes")
        self._database.news.look()

    # ── for the runtime: `syncbot.storage.promises.parts.Members` ──────────────────────────────────────────────────

    def join(self, mode: str) -> str:
        self._mode = mode
        member, bot = self.member, self._database.bot
        if member is None:
            return ""
        with self._database.transaction() as db:
            db.execute("UPDATE syncbot.member SET mode = %s WHERE bot = %s AND id = %s", (mode, bot, member.id))
            sql = "SELECT mode FROM syncbot.member WHERE bot = %s AND id <> %s AND mode NOT IN ('', %s) AND lease_until > clock_timestamp() LIMIT 1"
            others = db.execute(sql, (bot, member.id, mode)).fetchall()
        return str(others[0][0]) if others else ""

    def take_polling(self) -> bool:
        member = self.member
        return member is not None and not member.is_gone and member.take_polling()

    def wait_for_polling(self, seconds: float) -> None:
        self._may_be_free.wait(seconds)
        self._may_be_free.clear()

    @property
    def may_poll(self) -> bool:
        member = self.member
        return member is not None and member.may_poll

    def has(self, row: int, ticket: int) -> bool:
        """Whether the claim of a row with this ticket stands, as far as can be told without asking the database."""
        claims, member = self.claims, self.member
        return claims is not None and claims.has(row, ticket) and member is not None and member.is_valid

    def close(self) -> None:
        """Leave the members; what is still claimed is taken over by others, as after a death.

        Raises:
            StorageError: the database cannot be used; others find out.
        """
        with self.lock:
            member, self.member, claims, self.claims = self.member, None, self.claims, None
            pending, self._pending = self._pending, None
        self._may_be_free.set()
        if member is None or claims is None or claims.pid != os.getpid():
            return
        try:
            self._leave(member, has_claims=pending is not None or not claims.is_empty)  # it may have claimed what nobody knows of
        finally:
            member.end()
            member.join()

    def _leave(self, member: Membership, *, has_claims: bool) -> None:
        where = {"bot": self._database.bot, "id": member.id}
        with self._database.transaction() as db:
            if has_claims:
                db.execute("UPDATE syncbot.member SET lease_until = '-infinity' WHERE bot = %(bot)s AND id = %(id)s", where)
                return
            db.execute("DELETE FROM syncbot.member WHERE bot = %(bot)s AND id = %(id)s", where)
            db.execute(
                """UPDATE syncbot.chat SET suspect = o.id FROM (SELECT min(id) AS id FROM syncbot.member WHERE bot = %(bot)s) AS o
                    WHERE bot = %(bot)s AND suspect = %(id)s AND suspect <> 0 AND o.id IS NOT NULL""",
                where,
            )
        self._database.news.tell()

    def handling(self) -> Claims:
        """What this process holds; a transaction changes a copy of it.

        Raises:
            StorageError: what became of an earlier transaction is not known yet.
        """
        if self.claims is None or self.claims.pid != os.getpid():
            raise RuntimeError("this process does not handle updates: call recover() first")
        if self.member is not None and self.member.is_gone:
            self._begin_anew()
        if self._pending is not None:
            outcome = self._database.outcome(self._pending.transaction)
            pending, self._pending = self._pending, None
            if outcome:
                self.claims = pending.work.claims
                self.handed += pending.work.claimed
        return self.claims

    def holding(self, claimed: Claimed) -> Claims:
        """What this process holds, this claim among it.

        Raises:
            ClaimGone: it is not.
        """
        claims = self.handling()
        if not claims.holds(claimed):
            raise claim_gone(self._database.place)
        return claims

    @contextmanager
    def writing(self, claims: Claims) -> Iterator[tuple[Connection, Work]]:
        """A transaction of this member, which nobody can take for dead while it lasts.

        Args:
            claims: what it holds, as `handling` gave it.

        Raises:
            Gone: somebody has; nothing was written.
        """
        work = Work(claims.copy(), [])
        try:
            with self._database.transaction() as db:
                found = db.execute(_HOLD, (self._database.bot, claims.run))
                yield db, work
                self._must_be_there(found.fetchall(), claims.run)  # looked at last, with what was asked after it: nothing of that is written then
        except CommitUnknown as problem:
            self._pending = _Pending(problem.transaction, work)
            raise
        self.claims = work.claims

    def _must_be_there(self, found: Sequence[object], id: int) -> None:
        """See whether `_HOLD` has found a member.

        Raises:
            Gone: it was taken for dead; the next verb begins anew.
        """
        if not found:
            member = self.member
            if member is not None and member.id == id:
                member.cease()
            raise Gone

    @contextmanager
    def gone_means_claim_gone(self) -> Iterator[None]:
        """For a verb that a handler has called: its claim is gone with the member."""
        try:
            yield
        except Gone:
            raise claim_gone(self._database.place) from None
