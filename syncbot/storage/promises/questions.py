"""What handlers wait for that have not ended: questions that are open, and the promises of the place where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from syncbot.storage.promises.outbox import OutboxCall


@dataclass(frozen=True, slots=True)
class Question:
    """What the handler of an update waits for.

    Args:
        row: the update's place in the inbox; it waits for one thing at a time.
        step: the number of the step in its journal that the answer is the outcome of.
        what: the step: "ask", "choose", "sleep".
        chat: the chat in which the answer is to come; None where only time is waited for.
        user: who is asked; None as well.
        wants: which answers fit, as JSON; what it means is not the store's affair.
        asked: since when it is open, in seconds since 1970.
        until: when it is over without an answer; None for never.
    """

    row: int
    step: int
    what: str
    chat: int | None = None
    user: int | None = None
    wants: Mapping[str, Any] = field(default_factory=dict)
    asked: float = 0.0
    until: float | None = None


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """What came of a question.

    Args:
        row, step: of the question.
        outcome: what the journal keeps of it, as JSON text.
    """

    row: int
    step: int
    outcome: str = field(repr=False)


class QuestionOpening(NamedTuple):
    """What is written when a handler begins to wait.

    Args:
        question: what for; it takes the place of another one of the same update.
        calls: what goes into the outbox with it.
    """

    question: Question
    calls: Sequence[OutboxCall] = ()


class QuestionStore(Protocol):
    """The questions that are open.

    `Inbox.yield_turn` opens one, and writes its step into the journal, without an outcome. `Inbox.settle` takes answers with the end of the update that
    brought them (`Changes.answers`), in its transaction; `close` does so for what nobody answers. Either puts the outcome into the journal and closes the
    question, and an update that nobody holds any more waits for a worker again. What comes for a question that is not open is passed over.
    """

    def entries(self) -> list[Question]:
        """All that are open, in the order in which they were asked; those with damaged rows are left out."""
        ...

    def close(self, answers: Sequence[QuestionAnswer]) -> None:
        """These are over, in one transaction."""
        ...

    def note(self, question: Question) -> None:
        """Write anew what an open question wants; one that is not open is passed over."""
        ...


class SharedQuestions(Protocol):
    """The questions that are open, as one of several processes sees them that handle at the same time: each may bring an answer, or close one."""

    def asked(self, chat: int, user: int) -> list[Question]:
        """Those that are open in this chat, to this user, in the order in which they were asked."""
        ...

    def of(self, rows: Sequence[int]) -> list[Question]:
        """Those that are open of the handlers of these updates."""
        ...

    def overdue(self, at: float, limit: int = 100) -> list[Question]:
        """Those that are open, and were over before this time."""
        ...

    def may_be_answered(self, row: int) -> bool:
        """Whether something that was stored up to this row of the inbox has not been handled: it may be an answer."""
        ...

    def outcomes(self, questions: Sequence[Question]) -> list[QuestionAnswer]:
        """What came of those of these that are open no more."""
        ...
