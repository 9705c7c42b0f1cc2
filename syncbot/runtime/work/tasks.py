"""What workers do, as values: an update or a job while it is handled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from syncbot.storage.promises.inbox import Claimed


@dataclass(frozen=True)
class JobRun:
    """One run of a job: what it is called, and all that is to be done."""

    name: str
    work: Callable[[], object]


@dataclass(eq=False, slots=True)
class Busy:
    """An update, or a job, while it is being handled.

    Args:
        task: what is done.
        thread_id: of the worker, as in `sys._current_frames()`.
        since: `time.monotonic()` at which its handler began.
        waiting: it waits for an answer (`context.ask`) and takes no worker.
        warned: its handler was reported as hanging.
        given_up: the runtime stopped without it; what it does is not recorded any more.
    """

    task: Claimed | JobRun
    thread_id: int = field(default_factory=threading.get_ident)
    since: float = field(default_factory=time.monotonic)
    waiting: bool = False
    warned: bool = False
    given_up: bool = False

    @property
    def name(self) -> str:
        """What to call it in the log."""
        return f"the job {self.task.name}" if isinstance(self.task, JobRun) else f"update {self.task.update_id}"
