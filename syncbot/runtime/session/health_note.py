"""How a running bot is, written into its state file now and then, for whoever watches it from outside (`syncbot monitor`)."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from syncbot.trouble import LastSaid

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Meta

_log = logging.getLogger(__name__)

FACTS = "facts"
"""The name of the facts in `Store.meta`."""
EVERY_SECONDS = 60.0
"""How often they are written: one small write each time, which flash memory bears for decades."""
_SOON_SECONDS = 5.0


class FactsNote:
    """Keeps the facts of one run in the state file: its health, when that was, and which process it is.

    Args:
        meta: where they are written.
        health: tells the health of the bot, as `Runtime.health`.
        clock: seconds, never going backwards.
    """

    def __init__(self, meta: Meta, health: Callable[[], Mapping[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._meta = meta
        self._health = health
        self._clock = clock
        self._started = time.time()
        self._was_ok: bool | None = None
        self._written_at: float | None = None
        self._told = LastSaid()

    def tick(self) -> None:
        """Write them if it is time: once a minute, and soon after the health has changed.

        Raises:
            StorageError: they cannot be written.
        """
        seconds = EVERY_SECONDS if self._written_at is None else self._clock() - self._written_at
        if seconds < _SOON_SECONDS:
            return
        health = self._health()
        if seconds >= EVERY_SECONDS or health["ok"] != self._was_ok:
            self._tell(health)
            self._write(health)
            self._was_ok = health["ok"]

    def end(self) -> None:
        """Write that the run has ended; one that never ticked was one of those that a cron job starts.

        Raises:
            StorageError: they cannot be written.
        """
        self._write({**self._health(), "ok": False, "running": False, "once": self._written_at is None})

    def _tell(self, health: Mapping[str, Any]) -> None:
        """A line for those who watch the log; where nothing but polls has happened, it is not worth one."""
        done = {name: health.get(name, 0) for name in ("received", "handled", "failed", "failures", "dead_letters")}
        _log.log(
            logging.INFO if self._told.is_new((health["ok"], done)) else logging.DEBUG,
            "health: %s, %d polls, %d received, %d handled, %d failed, %d failures of polls, lag %.1f s, queue %d, %d dead letters",
            "good" if health["ok"] else "bad",
            health.get("polls", 0),
            *(done[name] for name in ("received", "handled", "failed", "failures")),
            health.get("lag", 0.0),
            health.get("queue", 0),
            done["dead_letters"],
            extra={"health": dict(health)},  # for programs: a log of JSON lines shows it
        )

    def _write(self, health: Mapping[str, Any]) -> None:
        self._written_at = self._clock()
        process = {"pid": os.getpid(), "host": socket.gethostname(), "started": self._started, "at": time.time(), "every": EVERY_SECONDS}
        self._meta.set(FACTS, {**health, **process})
