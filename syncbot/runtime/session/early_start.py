"""A web application's bot starts by itself soon after it was loaded, where there is something to do: no request may come before a job is due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from syncbot.errors import SyncBotError
from syncbot.process import ForkSafeLock, forks

_log = logging.getLogger(__name__)

_SETTLES_SECONDS = 1.0
"""A server that loads the application once and forks its workers then does so within this time."""
_LOOKS_SECONDS = 2.0
"""How often it is looked whether there is something to do by now."""


class EarlyStart:
    """Starts once, soon, and in the right process: one that forks meanwhile leaves it to its children, which are the ones that serve.

    Args:
        start: what starts; it may raise a `SyncBotError`, and is tried again with the first request.
        is_wanted: whether there is something to do, asked when the time has come, and again and again until there is.
    """

    def __init__(self, start: Callable[[], object], is_wanted: Callable[[], bool]) -> None:
        self._start = start
        self._is_wanted = is_wanted
        self._timer: threading.Timer | None = None
        self._was_waiting = False
        self._lock = ForkSafeLock()

    def begin(self) -> None:
        """Start soon."""
        forks().add(self)
        self._wait(_SETTLES_SECONDS)

    def cancel(self) -> None:
        """Do not start any more, if that has not been done."""
        forks().remove(self)
        timer = self._take()
        if timer is not None:
            timer.cancel()

    def before_fork(self) -> None:
        """Leave it to the children."""
        timer = self._take()
        self._was_waiting = timer is not None
        if timer is not None:
            timer.cancel()

    def after_fork_in_parent(self) -> None:
        """Nothing: whoever forks serves no requests."""

    def after_fork_in_child(self) -> None:
        """Wait anew: this process serves requests, and is the one to start."""
        if self._was_waiting:
            self._wait(_SETTLES_SECONDS)

    def _take(self) -> threading.Timer | None:
        """The timer that waits, which nobody else gets."""
        with self._lock.here:
            timer, self._timer = self._timer, None
            return timer

    def _wait(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._run)
        timer.daemon = True
        timer.name = "syncbot-start"
        self._timer = timer
        timer.start()

    def _run(self) -> None:
        wanted = self._is_wanted()
        with self._lock.here:
            if self._timer is not threading.current_thread():
                return  # it was cancelled as its time came, or left to a child
            if not wanted:
                self._wait(_LOOKS_SECONDS)
                return
            self._timer = None
        try:
            self._start()
        except SyncBotError as error:
            _log.error("the bot could not be started with its application, and is started with the first request: %s", error)
