"""The inbox and the dead letters in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice

from syncbot.storage.albums import is_collecting, ready_at, with_part
from syncbot.storage.claims import Claims, taken_over
from syncbot.storage.codec import EncodedChanges, encode_changes, first_of_each, shorten
from syncbot.storage.memory.data import MemoryData
from syncbot.storage.memory.journal import MemoryJournal
from syncbot.storage.memory.outbox import MemoryOutbox
from syncbot.storage.memory.questions import MemoryQuestions
from syncbot.storage.promises.data import DataConflict
from syncbot.storage.promises.dead_letters import DeadLetter
from syncbot.storage.promises.inbox import DEATHS_ALONE, DIED_ALONE, Claimed, Counts, End, Incoming, Recovery, Settled
from syncbot.storage.promises.journal import JournalKey, JournalStep
from syncbot.storage.promises.questions import QuestionAnswer, QuestionOpening
from syncbot.storage.promises.store import PLAUSIBLE_TIME, StoreOptions


@dataclass(slots=True)
class _Row:
    """An update in the inbox."""

    row: int
    update: Incoming
    stored: float
    attempts: int = 0
    alone: int = 0
    suspect: bool = False
    state: str = "waiting"
    began: float = 0.0
    ready: float = 0.0
    """When an album is complete; 0.0 for what is none, or was handed out."""


@dataclass(slots=True)
class _Seen:
    """A remembered id."""

    row: int
    at: float


class MemoryDeadLetters:
    """`syncbot.storage.promises.parts.DeadLetters` in memory."""

    inbox: MemoryInbox  # set by the store: each of the two puts into the other

    def __init__(self, guard: AbstractContextManager[None], now: Callable[[], float], options: StoreOptions) -> None:
        self._guard = guard
        self._now = now
        self._options = options
        self._letters: dict[int, DeadLetter] = {}
        self._last = 0

    def entries(self, limit: int = 100, *, before: int | None = None) -> list[DeadLetter]:
        with self._guard:
            return [letter for id, letter in reversed(self._letters.items()) if before is None or id < before][:limit]

    def get(self, id: int) -> DeadLetter | None:
        with self._guard:
            return self._letters.get(id)

    def count(self) -> int:
        with self._guard:
            return len(self._letters)

    def requeue(self, id: int) -> bool:
        with self._guard:
            letter = self._letters.pop(id, None)
            if letter is None:
                return False
            self.inbox.put(Incoming(letter.update_id, letter.key, letter.body), stored=letter.stored, attempts=letter.attempts)
            return True

    def drop(self, id: int) -> bool:
        with self._guard:
            return self._letters.pop(id, None) is not None

    def of(self, update: Incoming, reason: str, *, attempts: int, stored: float) -> DeadLetter:
        """The next letter, of what failed; the caller holds the lock until it is in."""
        return DeadLetter(self._last + 1, update.update_id, update.key, update.body, reason, attempts, stored, self._now())

    def add(self, letter: DeadLetter) -> int:
        """Take it in. Returns its number."""
        self._letters[letter.id] = letter
        self._last = letter.id
        return letter.id

    def prune(self) -> None:
        """Keep to the bounds of number and age; the caller holds the lock."""
        limit = self._now() - self._options.dead_seconds
        excess = len(self._letters) - self._options.dead_limit
        for place, (id, letter) in enumerate(list(self._letters.items())):
            if place < excess or PLAUSIBLE_TIME < letter.died < limit:
                del self._letters[id]


class MemoryInbox:
    """`syncbot.storage.promises.queues.Inbox` in memory; the lock is shared by all parts of the store."""

    def __init__(
        self,
        guard: AbstractContextManager[None],
        now: Callable[[], float],
        options: StoreOptions,
        dead_letters: MemoryDeadLetters,
        data: MemoryData,
        journal: MemoryJournal,
        questions: MemoryQuestions,
        outbox: MemoryOutbox,
    ) -> None:
        self._guard = guard
        self._now = now
        self._options = options
        self._dead_letters = dead_letters
        self._data = data
        self._journal = journal
        self._questions = questions
        self._outbox = outbox
        self._rows: dict[int, _Row] = {}
        self._seen: dict[int, _Seen] = {}
        self._last = 0
        self._run = 0
        self._next_offset: int | None = None
        self._claims: Claims | None = None

    def store(self, updates: Sequence[Incoming], *, next_offset: int | None = None) -> int:
        batch = first_of_each(updates)
        with self._guard:
            fresh = [update for id, update in batch.items() if not self._is_known(id)]
            for update in fresh:
                if not self._collect(update):
                    self.put(update, stored=self._now(), attempts=0)
            if next_offset is not None:
                self._next_offset = next_offset
            if len(self._seen) > self._options.window_ids * 1.1 + 100:
                self.prune()
            return len(fresh)

    def next_offset(self) -> int | None:
        with self._guard:
            return self._next_offset

    def recover(self) -> Recovery:
        with self._guard:
            self._run += 1
            for row in self._rows.values():
                if row.state == "yielded" and self._questions.has(row.row):
                    row.state = "asking"
            left = [row for row in self._rows.values() if row.state in ("running", "yielded")]
            in_handler = [row for row in left if row.state == "running"]
            for row in left:
                row.state = "waiting"
                row.attempts += 1
            buried = self._mark_suspects(in_handler)
            suspects = [row.row for row in self._rows.values() if row.suspect]
            self._claims = Claims(self._run, suspects)
            self.prune()
            return Recovery(sum(1 for _ in self._waiting()), tuple(row.update.update_id for row in left), len(suspects), buried, self._run)

    def claim(self, limit: int = 1, *, per_key: int = 1) -> list[Claimed]:
        return self.settle((), claim=limit, per_key=per_key).claimed

    def settle(self, ends: Sequence[End], *, claim: int = 0, per_key: int = 1) -> Settled:
        changes = [encode_changes(end.changes) for end in ends]
        with self._guard:
            now = self._now()  # before all else: from here on little can fail
            self._claims = claims = self._handling()
            lost = tuple(end.claimed for end in ends if not claims.holds(end.claimed))
            refused: list[tuple[Claimed, tuple[DataConflict, ...]]] = []
            for end, change in zip(ends, changes, strict=True):
                if end.claimed in lost:
                    continue
                if conflicts := self._data.conflicts(change):
                    refused.append((end.claimed, conflicts))
                else:
                    self._end(claims, end, change)
            claimed, album_seconds = self._hand_out(claims.copy(), claim, per_key, now)
            return Settled(claimed, lost, tuple(refused), album_seconds)

    def release(self, *claimed: Claimed) -> None:
        with self._guard:
            claims = self._handling()
            for one in claimed:
                if claims.holds(one):
                    self._rows[one.row].state = "asking" if self._questions.has(one.row) else "waiting"
                    claims.put_back(one.row)
            self._claims = claims

    def yield_turn(self, claimed: Claimed, opening: QuestionOpening | None = None) -> None:
        with self._guard:
            claims = self._holding(claimed)
            if claims.yield_turn(claimed.row):
                if opening is not None:
                    self._outbox.put(*opening.calls)  # first: it refuses what is no JSON
                    self._questions.open(opening.question)
                    self._journal.write(JournalKey(claimed.row, claimed.ticket), JournalStep(opening.question.step, opening.question.what))
                self._rows[claimed.row].state = "yielded"
                self._claims = claims

    def take_turn(self, claimed: Claimed) -> bool:
        with self._guard:
            claims = self._holding(claimed)
            if not claims.take_turn(claimed.row):
                return False
            self._rows[claimed.row].state = "running"
            self._claims = claims
            return True

    def counts(self) -> Counts:
        with self._guard:
            waiting = list(self._waiting())
            running = sum(row.state in ("running", "yielded") for row in self._rows.values())
            return Counts(len(waiting), running, waiting[0].stored if waiting else None, self._last)

    def _collect(self, update: Incoming) -> bool:
        """Put a message to its album; False where it is none, or the first one. The caller holds the lock."""
        if not update.album:
            return False
        open_ones = [row for row in self._rows.values() if row.ready and row.state == "waiting" and row.update.album == update.album]
        for row in open_ones:
            if row.update.key == update.key:
                row.update = replace(row.update, body=with_part(row.update.body, update.body))
                row.ready = ready_at(row.began, self._now())
                self._seen[update.update_id] = _Seen(row.row, self._now())
                return True
        return False

    def put_job(self, key: str, body: bytes) -> int:
        """Put the run of a job at the end; returns its row. The caller holds the lock."""
        self._last += 1
        self._rows[self._last] = _Row(self._last, Incoming(-self._last, key, body), self._now())
        return self._last

    def job_runs(self) -> int:
        """How many runs of jobs there are; the caller holds the lock."""
        return sum(row.update.update_id < 0 for row in self._rows.values())

    def has_unhandled(self, last: int) -> bool:
        """Whether something up to this row waits, or is handled; the caller holds the lock."""
        return any(row.row <= last and row.state in ("waiting", "running") for row in self._rows.values())

    def holds_row(self, row: int) -> bool:
        """Whether it is still to be handled; the caller holds the lock."""
        return row in self._rows

    def put(self, update: Incoming, *, stored: float, attempts: int) -> None:
        """Put an update at the end and remember its id; the caller holds the lock."""
        self._last += 1
        self._rows[self._last] = row = _Row(self._last, update, stored, attempts)
        if update.album and not attempts:
            row.began, row.ready = stored, ready_at(stored, stored)
        self._seen.pop(update.update_id, None)  # so that the order of the dict is that of the rows
        self._seen[update.update_id] = _Seen(self._last, self._now())

    def prune(self) -> None:
        """Forget old ids, dead letters and states; the caller holds the lock."""
        limit = self._now() - self._options.window_seconds
        excess = len(self._seen) - self._options.window_ids
        for place, (id, seen) in enumerate(list(self._seen.items())):
            if (place < excess or seen.at < limit) and not self._still_there(id, seen):
                del self._seen[id]
        self._dead_letters.prune()
        self._data.forget_states()

    def _is_known(self, id: int) -> bool:
        seen = self._seen.get(id)
        return seen is not None and (seen.at >= self._now() - self._options.window_seconds or self._still_there(id, seen))

    def _still_there(self, id: int, seen: _Seen) -> bool:
        row = self._rows.get(seen.row)
        return row is not None and row.update.update_id == id

    def answered(self, answer: QuestionAnswer) -> None:
        """A question is over: its outcome goes into the journal, and an update that nobody holds waits for a worker; the caller holds the lock."""
        self._journal.answer(answer)
        row = self._rows[answer.row]
        if row.state == "asking":
            row.state = "waiting"

    def is_held(self, key: JournalKey) -> bool:
        """Whether the claim still stands; the caller holds the lock."""
        return self._claims is not None and self._claims.has(key.row, key.ticket)

    def _handling(self) -> Claims:
        """A copy of what this process holds, to be kept when all has gone well."""
        if self._claims is None or self._claims.pid != os.getpid():
            raise RuntimeError("this process does not handle updates: call recover() first")
        return self._claims.copy()

    def _holding(self, claimed: Claimed) -> Claims:
        claims = self._handling()
        if not claims.holds(claimed):
            raise taken_over("memory")
        return claims

    def _mark_suspects(self, in_handler: list[_Row]) -> tuple[int, ...]:
        """Apply the suspects' rules to what was in a handler; returns the dead letter that came of it."""
        if len(in_handler) != 1:
            for row in in_handler:
                row.suspect = True
            return ()
        for row in self._rows.values():
            row.suspect = False
        [found] = in_handler
        found.suspect = True
        found.alone += 1
        if found.alone < DEATHS_ALONE:
            return ()
        del self._rows[found.row]
        self._journal.end(JournalKey(found.row))
        self._questions.forget(found.row)
        return (self._dead_letters.add(self._dead_letters.of(found.update, DIED_ALONE, attempts=found.attempts, stored=found.stored)),)

    def _end(self, claims: Claims, end: End, changes: EncodedChanges) -> None:
        """What may fail, as where memory is missing, comes first: then nothing has ended, and all of it can be done again."""
        row = self._rows[end.claimed.row]
        letters = self._dead_letters
        letter = letters.of(row.update, shorten(end.reason), attempts=row.attempts + 1, stored=row.stored) if end.reason is not None and end.keep else None
        self._data.write(changes)
        if letter is not None:
            letters.add(letter)
        claims.end(row.row)
        del self._rows[row.row]
        self._journal.end(JournalKey(row.row))
        self._questions.forget(row.row)

    def _hand_out(self, claims: Claims, limit: int, per_key: int, now: float) -> tuple[list[Claimed], float | None]:
        """Start what may run next, in `claims` too, a copy of what is held, which is kept; tells when the next album is complete as well."""
        if limit <= 0 or claims.blocked:
            return [], None
        if claims.suspect is not None:
            suspect = self._rows[claims.suspect]
            key = suspect.update.key
            first = next(row for row in self._waiting() if row is suspect or (key and row.update.key == key))
            return self._start(claims, [first], alone=True), None
        firsts: list[_Row] = []
        collecting: list[float] = []
        busy = claims.busy_keys()
        for row in self._waiting():
            if is_collecting(row.ready, now):
                busy |= {row.update.key}  # what comes behind it waits for it
                collecting.append(row.ready - now)
            elif row.update.key not in busy:
                firsts.append(row)
                busy |= {row.update.key} - {""}
                if len(firsts) == limit:
                    break
        started = self._start(claims, [row for first in firsts for row in self._run_from(first, per_key)], alone=False)
        return started, min(collecting, default=None)

    def _run_from(self, first: _Row, per_key: int) -> list[_Row]:
        """The first waiting update of a key and those behind it, so many at most."""
        if per_key == 1 or not first.update.key:
            return [first]
        return list(islice((row for row in self._waiting() if row.update.key == first.update.key), per_key))

    def _waiting(self) -> Iterator[_Row]:
        return (row for row in self._rows.values() if row.state == "waiting")

    def _start(self, claims: Claims, rows: Sequence[_Row], *, alone: bool) -> list[Claimed]:
        claimed = [
            Claimed(
                row.row,
                row.update.update_id,
                row.update.key,
                row.update.body,
                row.attempts + 1,
                row.stored,
                alone,
                claims.hold(row.row, row.update.key, alone=alone),
                has_steps=self._journal.has_steps(row.row),
            )
            for row in rows
        ]
        self._claims = claims
        for row in rows:
            row.state = "running"
            row.ready = 0.0
        return claimed
