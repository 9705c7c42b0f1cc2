"""What to do when the state file cannot be written: wait for what passes by itself, and say so once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from syncbot.errors import StorageError

_log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class Patience:
    """Tries what touches the state file.

    Args:
        stop: ends every wait.
    """

    def __init__(self, stop: threading.Event) -> None:
        self.trouble = False
        self._stop = stop

    def tried(self, work: Callable[[], object], *, writes: bool = True) -> bool:
        """Do it; False when it failed in a way that may pass by itself, as a full disk does.

        Args:
            work: what is to be done.
            writes: it writes for certain, so that its success shows that the trouble is over.

        Raises:
            StorageError: it does not pass by itself.
        """
        try:
            work()
        except StorageError as error:
            if not error.retryable:
                raise
            if not self.trouble:
                self.trouble = True
                _log.error("the state file cannot be used: %s", error)
            return False
        if writes:
            self.over()
        return True

    def over(self) -> None:
        """There is no trouble, or none any more."""
        if self.trouble:
            self.trouble = False
            _log.warning("the state file can be used again")

    def until_stop(self, work: Callable[[], object]) -> bool:
        """Do it, again and again until it works; False when the stop comes first.

        Raises:
            StorageError: it does not pass by itself.
        """
        while not self.tried(work):
            if self._stop.wait(RETRY_SECONDS):
                return False
        return True
