"""What handlers wait for that have not ended: questions that are open, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
