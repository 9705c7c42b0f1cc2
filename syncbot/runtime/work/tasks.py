"""What workers do, as values: an update or a job while it is handled."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from syncbot.runtime.job import job_of
from syncbot.storage.promises.inbox import Claimed


def what_is(claimed: Claimed) -> str:
    """What to call it in the log: "update 17", "the job remind"."""
    if claimed.update_id < 0:
        with suppress(Exception):  # a damaged one is told as an update
            if (job := job_of(json.loads(claimed.body))) is not None:
                return f"the job {job}"
    return f"update {claimed.update_id}"


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

    task: Claimed
    thread_id: int = field(default_factory=threading.get_ident)
    since: float = field(default_factory=time.monotonic)
    waiting: bool = False
    warned: bool = False
    given_up: bool = False

    @property
    def name(self) -> str:
        """What to call it in the log."""
        return what_is(self.task)
