"""The journal in memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from syncbot.storage.claims import taken_over
from syncbot.storage.promises.journal import JournalKey, JournalStep
from syncbot.storage.promises.questions import QuestionAnswer


class MemoryJournal:
    """`syncbot.storage.promises.parts.Journal` in memory.

    Args:
        guard: the lock that all parts of one store share.
    """

    is_held: Callable[[JournalKey], bool]  # set by the store: whether the claim of an update still stands

    def __init__(self, guard: AbstractContextManager[None]) -> None:
        self._guard = guard
        self._steps: dict[int, dict[int, JournalStep]] = {}

    def steps(self, key: JournalKey) -> list[JournalStep]:
        with self._guard:
            return [step for _, step in sorted(self._steps.get(key.row, {}).items())]

    def has_steps(self, row: int) -> bool:
        """Whether there are any of this row; the caller holds the lock."""
        return bool(self._steps.get(row))

    def write(self, key: JournalKey, step: JournalStep) -> None:
        step.check()
        with self._guard:
            if not self.is_held(key):
                raise taken_over("memory")
            self._steps.setdefault(key.row, {})[step.number] = step

    def together(self, *, durable: bool) -> AbstractContextManager[None]:
        return self._guard

    def cut(self, key: JournalKey, number: int) -> None:
        with self._guard:
            if self.is_held(key):
                steps = self._steps.pop(key.row, {})
                self._steps[key.row] = {at: step for at, step in steps.items() if at < number}

    def answer(self, answer: QuestionAnswer) -> None:
        """Write what came of a question; the caller holds the lock."""
        steps = self._steps.get(answer.row, {})
        if answer.step in steps:
            steps[answer.step] = replace(steps[answer.step], outcome=answer.outcome)

    def end(self, key: JournalKey) -> None:
        """Forget the steps of what has ended; the caller holds the lock."""
        self._steps.pop(key.row, None)
