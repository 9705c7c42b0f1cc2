"""What workers do, as values: an update or a job while it is handled, and how an update ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from syncbot.storage.promises.data import NO_CHANGES, Changes
from syncbot.storage.promises.inbox import Claimed, Inbox

QUICK_SECONDS = 0.0005
"""Handlers that take less than this are run faster by one thread than by several, which would only take the interpreter from each other."""


@dataclass(frozen=True)
class JobRun:
    """One run of a job: what it is called, and all that is to be done."""

    name: str
    work: Callable[[], object]


@dataclass(eq=False, slots=True)
class Busy:
    """An update, or a job, while it is being handled.

    Args:
        claimed: the update; None for a job.
        job: what the job is called.
        thread_id: of the worker, as in `sys._current_frames()`.
        since: `time.monotonic()` at which its handler began.
        waiting: it waits for an answer (`context.ask`) and takes no worker.
        warned: its handler was reported as hanging.
        given_up: the runtime stopped without it; what it does is not recorded any more.
    """

    claimed: Claimed | None = None
    job: str = ""
    thread_id: int = field(default_factory=threading.get_ident)
    since: float = field(default_factory=time.monotonic)
    waiting: bool = False
    warned: bool = False
    given_up: bool = False

    @property
    def is_quick(self) -> bool:
        """Whether it began just now, and may be over at any moment."""
        return not self.waiting and time.monotonic() - self.since < QUICK_SECONDS

    @property
    def name(self) -> str:
        """What to call it in the log."""
        return f"the job {self.job}" if self.claimed is None else f"update {self.claimed.update_id}"


class End(NamedTuple):
    """How an update ended: handled, failed (to the dead letters), or put back."""

    claimed: Claimed
    kind: Literal["handled", "failed", "put back"]
    changes: Changes = NO_CHANGES
    reason: str = ""

    def write(self, inbox: Inbox, claim: int) -> list[Claimed]:
        """Record it; returns what is handed out in its place."""
        if self.kind == "handled":
            return inbox.finish(self.claimed, self.changes, claim=claim)
        if self.kind == "failed":
            return inbox.bury(self.claimed, self.reason, self.changes, claim=claim)
        inbox.release(self.claimed)
        return []
