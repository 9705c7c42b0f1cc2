"""The questions in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from syncbot.storage.codec import decode, encode_wants
from syncbot.storage.promises.questions import Question, QuestionAnswer


class MemoryQuestions:
    """`syncbot.storage.promises.parts.QuestionStore` in memory.

    Args:
        guard: the lock that all parts of one store share.
    """

    on_answer: Callable[[QuestionAnswer], None]  # set by the store: puts the outcome into the journal, and lets the update wait for a worker
    has_unhandled: Callable[[int], bool]  # set by the store: whether something up to a row waits, or is handled

    def __init__(self, guard: AbstractContextManager[None]) -> None:
        self._guard = guard
        self._open: dict[int, Question] = {}

    def entries(self) -> list[Question]:
        with self._guard:
            return sorted(self._open.values(), key=lambda question: (question.asked, question.row))

    def may_be_answered(self, row: int) -> bool:
        with self._guard:
            return self.has_unhandled(row)

    def close(self, answers: Sequence[QuestionAnswer]) -> None:
        with self._guard:
            for answer in answers:
                if (question := self._open.get(answer.row)) is not None and question.step == answer.step:
                    self.on_answer(answer)
                    del self._open[answer.row]

    def note(self, question: Question) -> None:
        with self._guard:
            if (found := self._open.get(question.row)) is not None and found.step == question.step:
                self.open(question)

    def open(self, question: Question) -> None:
        """Write a question; the caller holds the lock."""
        wants = decode(encode_wants(question))  # as the file gives it back
        self._open[question.row] = replace(question, wants=wants)

    def has(self, row: int) -> bool:
        """Whether one of this update is open; the caller holds the lock."""
        return row in self._open

    def forget(self, row: int) -> None:
        """Forget that of an update that has ended; the caller holds the lock."""
        self._open.pop(row, None)
