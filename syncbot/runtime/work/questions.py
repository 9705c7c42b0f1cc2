"""Which questions are open, who answers them, and what becomes of those that nobody answers."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncbot.errors import AskTimeout, Cancelled, Stopped
from syncbot.process import elapsed_seconds
from syncbot.runtime.durable.asking import question_of
from syncbot.runtime.durable.results import error_text, value_text
from syncbot.runtime.handling.update_facts import command_of
from syncbot.runtime.work.open_question import OpenQuestion
from syncbot.storage.promises.questions import Question, QuestionAnswer

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import QuestionStore, SharedQuestions, Store

MAX_WAITING = 256
"""So many handlers may hold a thread while they wait; further ones are put aside."""
_OVERDUE_SECONDS = 5.0
"""Whoever has asked closes a question when its time is over; what is open so much longer is closed by anybody."""
_NOBODY = -1
"""Instead of the row of the update that answers: the time is over."""
CANCEL = "cancel"
"""The command that takes back a question."""


class Questions:
    """The open questions of a bot. The newest question to a user in a chat is answered first.

    Args:
        entries: where they are kept; None where nothing is.
        shared: how others see them, where several processes handle; None where only one does.
        now: seconds since 1970.
        on_opened: told that there is another one, or one again, which may have an end.
        passing: seconds that pass, whatever the machine's clock is set to.
    """

    def __init__(
        self,
        entries: QuestionStore | None = None,
        shared: SharedQuestions | None = None,
        now: Callable[[], float] = time.time,
        on_opened: Callable[[], object] = lambda: None,
        passing: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._entries = entries
        self._shared = shared
        self._now = now
        self._on_opened = on_opened
        self._passing = passing
        self._lock = threading.Lock()
        self._by_row: dict[int, OpenQuestion] = {}
        self._by_user: dict[tuple[int | None, int | None], list[OpenQuestion]] = {}
        self._taken: dict[int, OpenQuestion] = {}  # by the row of the update that answers it
        self._ends: list[tuple[float, int, OpenQuestion]] = []
        self._counter = itertools.count()
        self._look_at = 0.0
        self._stopped = False
        self.held = 0
        """How many threads wait."""
        for question in entries.entries() if entries is not None else ():
            self._is_open(self._put(OpenQuestion(question)))

    @classmethod
    def of(cls, store: Store, on_opened: Callable[[], object]) -> Questions:
        """The questions that stand in a store."""
        return cls(store.questions, None if store.members is None else store.members.questions, on_opened=on_opened)

    @property
    def number(self) -> int:
        """How many are open."""
        return len(self._by_row)

    # ── for those who ask ────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, question: Question, *, is_recorded: bool, may_hold: bool) -> OpenQuestion:
        """A question is about to be opened; `opened` or `forget` follows.

        Args:
            question: it.
            is_recorded: it will stand in the store, so that its handler may be put aside.
            may_hold: its handler may hold a thread meanwhile.

        Raises:
            RuntimeError: it cannot be put aside, and must not hold a thread.
        """
        if self._shared is not None and not is_recorded:
            raise RuntimeError("a handler with durable=False cannot wait for an answer where several processes handle: another one may take it; leave it out")
        with self._lock:
            holds = may_hold and self.held < MAX_WAITING and not (self._stopped and is_recorded)
            if not holds and not is_recorded:
                raise RuntimeError(
                    "a handler with durable=False cannot be put aside while it waits, and no thread may wait for it here"
                    f" ({MAX_WAITING} wait already, or it runs from cron or within a web request); leave durable=False out, or use context.state"
                )
            if (before := self._by_row.get(question.row)) is not None:
                self._remove(before)
            self.held += holds
            return self._put(OpenQuestion(question, is_recorded=is_recorded, is_held=holds, known_since=self._passing()))

    def opened(self, found: OpenQuestion) -> None:
        """It stands in the store, where it is to stand there."""
        with self._lock:
            self._is_open(found)
        self._on_opened()

    def forget(self, found: OpenQuestion) -> None:
        """Its handler waits no more."""
        with self._lock:
            self._remove(found)
            found.opened.set()
            self.held -= found.is_held
            found.is_held = False

    def wait(self, found: OpenQuestion) -> str:
        """Hold the thread until it is over; what came of it, as the journal keeps it.

        Raises:
            Stopped: the runtime is stopping; it stays open.
        """
        try:
            found.over.wait()
        finally:
            with self._lock:
                self.held -= 1
                found.is_held = False
                if not found.is_recorded:
                    self._remove(found)
        if found.outcome is None:
            raise Stopped("the runtime is stopping; the question stays open")
        return found.outcome

    # ── for those who may answer ─────────────────────────────────────────────────────────────────────────────────────

    def offer(self, row: int, chat: int, user: int, raw: Mapping[str, Any], typed: Callable[[], Any]) -> Sequence[QuestionAnswer] | None:
        """Let an update answer the newest question that it fits.

        Args:
            row: the update's row.
            chat, user: where it comes from, and from whom.
            raw, typed: see `OpenQuestion.fits`.

        Returns:
            What is to be written with the update's end; None where it answers nothing.

        Raises:
            Stopped: one has waited for it that is asked again at the next start; the answer has to stay behind it.
        """
        self._see_others(chat, user)
        with self._lock:
            asked = list(reversed(self._by_user.get((chat, user), ())))
        cancels = command_of(raw) == CANCEL
        for found in asked:
            found.opened.wait()  # it is being written
            if found.taken_by in (None, row) and (cancels or found.fits(raw, typed)):
                text = _end_text(Cancelled(f"/{CANCEL}"), found.question) if cancels else value_text(raw, "the answer")
                with self._lock:
                    if found.taken_by in (None, row) and self._by_row.get(found.question.row) is found:
                        return self._take(found, row, text)
        return None

    def give_back(self, row: int) -> None:
        """The handling of this update has come to nothing: what it was to answer is open again."""
        with self._lock:
            found = self._taken.pop(row, None)
            if found is None or found.outcome is not None:
                return
            found.taken_by = None
            self._is_open(found)
        self._on_opened()  # its time may have come meanwhile

    def delivered(self, result: Any) -> bool:
        """Something went out by the outbox: of a question with buttons, its message is known from now on, so that they can be taken away.

        Args:
            result: the JSON result of the call.

        Returns:
            False where it is such a question, and is over already, or about to be: what came of it does not name the message.
        """
        asked = question_of(result)
        if asked is None:
            return True
        row, data = asked
        self._see_rows([row])
        with self._lock:
            found = self._by_row.get(row)
            wants = found.question.wants if found is not None else {}
            if found is None or found.taken_by is not None or not data.startswith(wants.get("press", ("-",))[0]):
                return False
            found.question = question = replace(found.question, wants={**wants, "message_id": result["message_id"]})
        if self._entries is not None:
            self._entries.note(question)
        return True

    def answered(self, answers: Sequence[QuestionAnswer]) -> None:
        """These stand in the store."""
        with self._lock:
            for answer in answers:
                found = self._by_row.get(answer.row)
                if found is not None and found.question.step == answer.step:
                    self._end(found, answer.outcome)

    # ── where several processes handle ───────────────────────────────────────────────────────────────────────────────

    def look(self) -> None:
        """Others may have brought answers for which a thread waits here, and may have left questions whose time is over.

        Raises:
            StorageError: the store cannot be asked.
        """
        if self._shared is None:
            return
        with self._lock:
            held = [found.question for found in self._by_row.values() if found.is_held and found.opened.is_set()]
        if held:
            self.answered(self._shared.outcomes(held))
        now = self._now()
        if now >= self._look_at:
            self._look_at = now + _OVERDUE_SECONDS
            overdue = self._shared.overdue(now - _OVERDUE_SECONDS)
            with self._lock:
                for question in overdue:
                    self._adopt(question)
            if overdue:
                self._on_opened()

    def _see_others(self, chat: int, user: int) -> None:
        """Know what others have asked this user here, and what they have closed."""
        if self._shared is not None:
            self._see(self._shared.asked(chat, user), lambda: self._by_user.get((chat, user), ()))

    def _see_rows(self, rows: Sequence[int]) -> None:
        """Know what others have made of the questions of these updates."""
        if self._shared is not None:
            self._see(self._shared.of(rows), lambda: [self._by_row[row] for row in rows if row in self._by_row])

    def _see(self, asked: Sequence[Question], known: Callable[[], Iterable[OpenQuestion]]) -> None:
        open_ones = {(question.row, question.step) for question in asked}
        with self._lock:
            for found in list(known()):
                if found.opened.is_set() and not found.is_held and found.taken_by is None and (found.question.row, found.question.step) not in open_ones:
                    self._remove(found)
            for question in asked:
                self._adopt(question)

    def _adopt(self, question: Question) -> None:
        known = self._by_row.get(question.row)
        if known is not None and known.question.step != question.step and not known.is_held and known.taken_by is None:
            self._remove(known)
            known = None
        if known is None:
            self._is_open(self._put(OpenQuestion(question)))
        elif known.question.step == question.step and "message_id" in question.wants:  # another process has delivered it
            known.question = question

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_time(self) -> float | None:
        """When the next one is over without an answer."""
        with self._lock:
            return next(iter(self._ends), (None,))[0]

    def end_due(self, *, asked_since: float = 0.0) -> int:
        """Close those whose time is over, but for those that were asked before `asked_since` (in seconds since 1970); returns how many.

        Raises:
            StorageError: they are not closed.
        """
        with self._lock:
            due = list(self._take_due(asked_since))
        try:
            self._see_rows([one.question.row for one in due])
            answers = [QuestionAnswer(one.question.row, one.question.step, _over_text(one.question)) for one in due]
            recorded = [answer for one, answer in zip(due, answers, strict=True) if one.is_recorded]
            if recorded and self._entries is not None:
                self._entries.close(recorded)
                if self._shared is not None:  # another process may have been quicker, with an answer
                    truth = {(one.row, one.step): one for one in self._shared.outcomes([one.question for one in due])}
                    answers = [truth.get((answer.row, answer.step), answer) for answer in answers]
        except BaseException:
            with self._lock:
                for one in due:
                    one.taken_by = None
                    self._is_open(one)
            raise
        self.answered(answers)
        return len(due)

    def clock_was_set(self) -> None:
        """The machine's clock was set: what was asked here goes on for as long as it would have."""
        with self._lock:
            self._look_at = 0.0
            for found in self._by_row.values():
                if found.known_since is not None and found.question.until is not None:
                    ahead = self._now() - (self._passing() - found.known_since) - found.question.asked
                    found.question = replace(found.question, asked=found.question.asked + ahead, until=found.question.until + ahead)
                found.question = self._asked_by_now(found.question)
            open_ones = [(found.question.until, found) for found in self._by_row.values() if found.opened.is_set()]
            self._ends = sorted((until, next(self._counter), found) for until, found in open_ones if until is not None)

    def stop(self) -> None:
        """End every waiting with `Stopped`."""
        with self._lock:
            self._stopped = True
            for found in self._by_row.values():
                found.over.set()

    # ── the lock is held ─────────────────────────────────────────────────────────────────────────────────────────────

    def _asked_by_now(self, question: Question) -> Question:
        """The same; asked now, where a clock says that it will be asked later."""
        ahead = question.asked - self._now()
        return question if ahead <= 0 or question.until is None else replace(question, asked=question.asked - ahead, until=question.until - ahead)

    def _put(self, found: OpenQuestion) -> OpenQuestion:
        found.question = self._asked_by_now(found.question)
        self._by_row[found.question.row] = found
        self._by_user.setdefault((found.question.chat, found.question.user), []).append(found)
        if self._stopped:
            found.over.set()
        return found

    def _is_open(self, found: OpenQuestion) -> None:
        found.opened.set()
        if found.question.until is not None:
            heapq.heappush(self._ends, (found.question.until, next(self._counter), found))

    def _take_due(self, asked_since: float) -> Iterator[OpenQuestion]:
        due = list[tuple[float, int, OpenQuestion]]()
        while self._ends and self._ends[0][0] <= self._now():
            due.append(heapq.heappop(self._ends))
        for until, number, found in due:
            if self._by_row.get(found.question.row) is not found or found.taken_by is not None:
                continue
            if found.question.asked < asked_since:
                heapq.heappush(self._ends, (until, number, found))
            else:
                found.taken_by = _NOBODY
                yield found

    def _take(self, found: OpenQuestion, row: int, outcome: str) -> Sequence[QuestionAnswer]:
        if self._stopped and not found.is_recorded:
            raise Stopped("the runtime is stopping")
        found.taken_by = row
        self._taken[row] = found
        answer = QuestionAnswer(found.question.row, found.question.step, outcome)
        if found.is_recorded:
            return (answer,)
        self._end(found, outcome)
        return ()

    def _end(self, found: OpenQuestion, outcome: str) -> None:
        self._remove(found)
        found.outcome = outcome
        found.over.set()

    def _remove(self, found: OpenQuestion) -> None:
        question = found.question
        if self._by_row.get(question.row) is found:
            del self._by_row[question.row]
            where = (question.chat, question.user)
            self._by_user[where].remove(found)
            if not self._by_user[where]:
                del self._by_user[where]


def _over_text(question: Question) -> str:
    """What comes of a question whose time is over."""
    if question.what == "sleep":
        return value_text(None, "a sleep")
    return _end_text(AskTimeout(f"no answer came within {(question.until or 0.0) - question.asked:g} s"), question)


def _end_text(error: AskTimeout | Cancelled, question: Question) -> str:
    """What comes of a question that ends with an error."""
    error.message_id = question.wants.get("message_id")
    return error_text(error)
