"""What to do when the state file cannot be used: wait for what passes by itself, and say so once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from syncbot.errors import StorageError

_log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class StorageRetry:
    """Tells trouble that passes from trouble that does not, for everybody who works on one store.

    Args:
        stop: ends every wait.
    """

    def __init__(self, stop: threading.Event) -> None:
        self.trouble = False
        self._lock = threading.Lock()
        self._stop = stop

    def met(self, error: StorageError) -> None:
        """It failed; the caller tries again in `RETRY_SECONDS`.

        Raises:
            StorageError: it does not pass by itself.
        """
        if not error.retryable:
            raise error
        with self._lock:
            is_news, self.trouble = not self.trouble, True
        if is_news:
            _log.error("the state file cannot be used: %s", error)

    def over(self) -> None:
        """There is no trouble, or none any more."""
        with self._lock:
            is_news, self.trouble = self.trouble, False
        if is_news:
            _log.warning("the state file can be used again")

    def until_stop(self, work: Callable[[], object]) -> bool:
        """Do it, again and again until it works; False when the stop comes first.

        Raises:
            StorageError: it does not pass by itself.
        """
        while True:
            try:
                work()
            except StorageError as error:
                self.met(error)
            else:
                self.over()
                return True
            if self._stop.wait(RETRY_SECONDS):
                return False
