"""What all runs of a runtime share, and what they have met so far."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from syncbot.client.recording import Recorders
from syncbot.runtime.durable.options import Interrupted, Replies

if TYPE_CHECKING:
    from syncbot.runtime.durable.queued import CallQueue
    from syncbot.storage.promises.parts import Journal, Members

    class StorageTrouble(Protocol):
        """What to do when the journal cannot be used."""

        def until_stop(self, work: Callable[[], object]) -> bool:
            """Do it, again and again until it works; False when the stop comes first. Raises what does not pass by itself."""
            ...


class DurableFacts:
    """What the runs of a runtime have met so far."""

    def __init__(self) -> None:
        self.replayed = 0
        """Steps that were found in the journal, and not done again."""
        self.interrupted = 0
        """Calls that were under way when the process died."""
        self.diverged = 0
        """Runs that did something else than the one before."""
        self.swallowing = set[str]()
        """The handlers that have caught what puts them aside, and went on."""
        self._lock = threading.Lock()

    def count(self, *, replayed: int = 0, interrupted: int = 0, diverged: int = 0) -> None:
        """Add these; from any thread."""
        with self._lock:
            self.replayed += replayed
            self.interrupted += interrupted
            self.diverged += diverged


@dataclass(frozen=True)
class Durability:
    """What all runs of a runtime share.

    Args:
        journal: where their steps are written; None where nothing is.
        interrupted: what follows for what was under way, where a handler says nothing else.
        is_stopping: tells whether the runtime stops.
        trouble: what to do when the journal cannot be used.
        recorders: those of the bot, where each run is the recorder of its thread.
        facts: what they meet.
        replies: when calls go out, where a handler says nothing else.
        queue: makes calls into what the outbox holds; None where there is none.
        members: the processes that handle at the same time, one of which may take over what this one handles; None where there are none.
    """

    journal: Journal | None
    interrupted: Interrupted
    is_stopping: Callable[[], bool]
    trouble: StorageTrouble
    recorders: Recorders = field(default_factory=Recorders)
    facts: DurableFacts = field(default_factory=DurableFacts)
    replies: Replies = "at once"
    queue: CallQueue | None = None
    members: Members | None = None
