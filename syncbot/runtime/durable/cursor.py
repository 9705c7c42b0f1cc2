"""Where a run stands in its journal: it hands out what earlier runs have done, one after the other, and says where a run does something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from syncbot.runtime.durable.step import is_done, only_asks
from syncbot.storage import JournalStep


class Place(NamedTuple):
    """Where a step stands.

    Args:
        number: its number; None for one that is to be done without the journal.
        recorded: what the journal has of it; None for one that is new.
        instead: what stands in the journal in its place, where the run has left what an earlier one did.
    """

    number: int | None
    recorded: JournalStep | None = None
    instead: JournalStep | None = None


class Cursor:
    """Goes through the steps of the earlier runs. It knows no store and no Telegram.

    A step fits its record by what it is and whom it concerns. What only asks may be there in one run and not in the other: it is passed over in the
    journal, or done anew beside it.

    Args:
        steps: what the earlier runs have done, in order.
    """

    def __init__(self, steps: Sequence[JournalStep] = ()) -> None:
        self._steps = steps
        self._at = 0
        self._next = steps[-1].number + 1 if steps else 0
        self.replayed = 0
        """How many steps were found in the journal."""

    @property
    def left(self) -> Sequence[JournalStep]:
        """What earlier runs have done and this one has not come to."""
        return self._steps[self._at :]

    def take(self, what: str, target: str) -> Place:
        """The place of the next step. One that diverges ends the replay: all that follows is new."""
        left = self.left
        instead = None
        for passed, step in enumerate(left):
            if (step.what, step.target) == (what, target):
                self._at += passed + 1
                self.replayed += is_done(step.outcome)
                return Place(step.number, step)
            if not only_asks(step.what):
                instead = step
                break
        if left and only_asks(what):
            return Place(None)
        if instead is not None:
            self._next = left[0].number
        self._at = len(self._steps)
        self._next += 1
        return Place(self._next - 1, instead=instead)
