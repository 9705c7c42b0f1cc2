"""What handlers have done that have not ended, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MOST_STEPS = 1 << 24
"""So many steps may one run have; the journal takes no more."""


class JournalKey(NamedTuple):
    """Whose steps they are.

    Args:
        row: the place in the inbox of what is handled: an update, or the run of a job.
        ticket: that of the claim; what comes with an old one is refused.
    """

    row: int
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class JournalStep:
    """Something that a handler did: a call, or a value that it was given.

    Args:
        number: its place among the steps of the run, from 0 on.
        what: what was done: the method of a call ("sendMessage"), or "once", "now", ….
        target: with what: "chat_id=7 message_id=3", or the name that it was given. Never a text that was sent.
        outcome: what came of it, as JSON text; None while it is under way, so that nobody knows whether it was done.
    """

    number: int
    what: str
    target: str = ""
    outcome: str | None = field(default=None, repr=False)

    def check(self) -> None:
        """See to it that the journal can take it.

        Raises:
            ValueError: the run has too many steps.
        """
        if not 0 <= self.number < MOST_STEPS:
            raise ValueError(f"a run has {MOST_STEPS} steps at most")
