"""A web application's bot starts by itself soon after it was loaded, where it has jobs: no request may come before they are due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from syncbot.errors import SyncBotError
from syncbot.process import forks

_log = logging.getLogger(__name__)

_SETTLES_SECONDS = 1.0
"""A server that loads the application once and forks its workers then does so within this time."""


class EarlyStart:
    """Starts once, soon, and in the right process: one that forks meanwhile leaves it to its children, which are the ones that serve.

    Args:
        start: what starts; it may raise a `SyncBotError`, and is tried again with the first request.
        is_wanted: whether it is to be started, asked when the time has come.
    """

    def __init__(self, start: Callable[[], object], is_wanted: Callable[[], bool]) -> None:
        self._start = start
        self._is_wanted = is_wanted
        self._timer: threading.Timer | None = None
        self._was_waiting = False

    def begin(self) -> None:
        """Start soon."""
        forks().add(self)
        self._wait()

    def cancel(self) -> None:
        """Do not start any more, if that has not been done."""
        forks().remove(self)
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def before_fork(self) -> None:
        """Leave it to the children."""
        timer, self._timer = self._timer, None
        self._was_waiting = timer is not None
        if timer is not None:
            timer.cancel()

    def after_fork_in_parent(self) -> None:
        """This process serves nothing."""

    def after_fork_in_child(self) -> None:
        """This one does."""
        if self._was_waiting:
            self._wait()

    def _wait(self) -> None:
        timer = threading.Timer(_SETTLES_SECONDS, self._run)
        timer.daemon = True
        timer.name = "syncbot-start"
        self._timer = timer
        timer.start()

    def _run(self) -> None:
        if self._timer is not threading.current_thread():
            return  # it was cancelled as its time came
        self._timer = None
        if self._is_wanted():
            try:
                self._start()
            except SyncBotError as error:
                _log.error("the bot could not be started with its application, and is started with the first request: %s", error)
