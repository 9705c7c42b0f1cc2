"""What handlers have done that have not ended: the values, and the promises of the place where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

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


class Journal(Protocol):
    """The steps of what is being handled, so that another run goes on where the first one died.

    The steps of an update go with its end, in the transaction of `Inbox.settle`. They stay when it is released, and when the process dies.

    Writes (SQLite): each verb is a transaction without an fsync, and a page of 4 KB for a step of usual size. A `kill -9` undoes none; a power cut
    can undo what was written since the last durable transaction.
    """

    def steps(self, key: JournalKey) -> Sequence[JournalStep]:
        """What was written, in order; it ends before the first step that is damaged.

        Raises:
            StorageError: the file cannot be used.
        """
        ...

    def write(self, key: JournalKey, step: JournalStep) -> None:
        """Write a step, in the place of one of the same number.

        Raises:
            StorageError: it was not written; not retryable where the claim is gone, and then nothing more may be done for this key.
            ValueError: the run has too many steps.
        """
        ...

    def together(self, *, durable: bool) -> AbstractContextManager[object]:
        """What the calling thread writes into the store within the block is one transaction: all of it stands there behind it, or nothing. Others wait.

        Args:
            durable: it outlives a power cut, as a write of the outbox does.

        Raises:
            StorageError: nothing was written.
        """
        ...

    def cut(self, key: JournalKey, number: int) -> None:
        """Forget the step of this number and all behind it.

        Raises:
            StorageError: as for `write`.
        """
        ...
