"""A bound for each step of the examination, whatever holds it up: a name server or a disk that does not answer cannot be told to end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from syncbot.cli.console.exits import Exit
from syncbot.cli.doctor.result import Result, Status


def within(steps: Iterator[Result], seconds: float) -> Iterator[Result]:
    """The steps as they come; where the next one has not come in time, a last one that says so, and the rest is left to itself.

    Args:
        steps: run in a thread of their own, which may outlive this.
        seconds: for each.

    Raises:
        Exception: what the steps raise.
    """
    found: queue.SimpleQueue[Result | Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            for step in steps:
                found.put(step)
        except Exception as error:
            found.put(error)
        else:
            found.put(None)

    threading.Thread(target=run, name="syncbot-doctor", daemon=True).start()
    last = "the settings"
    while True:
        try:
            step = found.get(timeout=seconds)
        except queue.Empty:
            text = f"what comes after {last!r} has not ended in {seconds:.0f} s: a name server, a disk or a server does not answer"
            yield Result("deadline", Status.FAILED, text, seconds, "try again; --debug shows what it waits for", "syncbot doctor --debug", exit=Exit.TRY_LATER)
            return
        if isinstance(step, Exception):
            raise step
        if step is None:
            return
        last = step.step
        yield step
