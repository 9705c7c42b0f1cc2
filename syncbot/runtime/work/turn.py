"""An update's turn in its chat, as its context sees it: it may wait without holding up anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from syncbot.errors import Stopped
from syncbot.runtime.work.filter_text import filter_text
from syncbot.runtime.work.questions import Questions
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage.promises.inbox import Claimed
from syncbot.storage.promises.outbox import OutboxCall
from syncbot.storage.promises.questions import Question, QuestionAnswer, QuestionOpening

if TYPE_CHECKING:
    from syncbot.storage.promises.queues import Inbox

    class Seat(Protocol):
        """The thread that a handler runs on."""

        def step_aside(self) -> None:
            """Its handler waits: somebody else may take its place."""
            ...

        def step_back(self, *, is_answered: bool) -> None:
            """The waiting is over; with an answer, which might be lost, it goes on through a stop.

            Raises:
                Stopped: the runtime is stopping.
            """
            ...


class Turn:
    """`syncbot.runtime.durable.asking.Answers` for one update.

    Args:
        claimed: the update.
        inbox: where it stands.
        questions: those that are open.
        retry: what to do when the state file cannot be used.
        seat: the thread that the handler runs on; None where it must not be held.
        on_queued: told that something went into the outbox.
    """

    def __init__(
        self, claimed: Claimed, inbox: Inbox, questions: Questions, retry: StorageRetry, seat: Seat | None, on_queued: Callable[[], object] = lambda: None
    ) -> None:
        self._claimed = claimed
        self._inbox = inbox
        self._questions = questions
        self._retry = retry
        self._seat = seat
        self._on_queued = on_queued
        self.is_asking = False
        """Whether the handler is put aside, and waits for an answer."""

    def wait(self, question: Question, calls: Sequence[OutboxCall], *, is_recorded: bool) -> str:
        """Open a question, and wait until it is over; meanwhile the chat's turn and the worker are free. Returns what came of it.

        Raises:
            Stopped: the runtime is stopping, or the handler is to be put aside; the question is open.
            RuntimeError: it cannot be put aside, and no thread may wait for it.
        """
        found = self._questions.ask(question, is_recorded=is_recorded, may_hold=self._seat is not None)
        try:
            opening = QuestionOpening(question, calls) if is_recorded else None
            if not self._retry.until_stop(lambda: self._inbox.yield_turn(self._claimed, opening)):
                raise Stopped("the runtime is stopping")
        except BaseException:
            self._questions.forget(found)
            raise
        holds = found.is_held
        self._questions.opened(found)
        if calls:
            self._on_queued()
        if self._seat is None or not holds:
            self.is_asking = True
            raise Stopped("it waits for an answer")
        self._seat.step_aside()
        try:
            return self._questions.wait(found)
        finally:
            self._seat.step_back(is_answered=found.would_be_lost)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """See `Answers`. Unlike a question's, this waiting stands nowhere: should the process die, the update is handled again."""
        seat = self._seat
        if seat is None or not self._retry.until_stop(lambda: self._inbox.yield_turn(self._claimed)):
            yield
            return
        seat.step_aside()
        try:
            yield
        finally:
            seat.step_back(is_answered=True)  # through a stop too: what was waited for is done

    def filter_text(self, wanted: Any) -> str:
        """A filter as the store keeps it."""
        return filter_text(wanted)

    @property
    def is_awaited(self) -> bool:
        """Whether any question is open, so that this may answer it."""
        return self._claimed.is_awaited or self._questions.number > 0

    def offer(self, chat: int, user: int, raw: Mapping[str, Any], typed: Callable[[], Any]) -> Sequence[QuestionAnswer] | None:
        """Let the update answer a question; see `Questions.offer`."""
        return self._questions.offer(self._claimed.row, chat, user, raw, typed)

    def put_aside(self) -> None:
        """The update is put back: what it was to answer is open again."""
        self._questions.give_back(self._claimed.row)
