"""What to do when the state cannot be used: wait for what passes by itself, and say so once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from syncbot.errors import StorageError

_log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class StorageRetry:
    """Tells trouble that passes from trouble that does not, for everybody who works on one store.

    It is over when it is for each thread that has met it: on a full disk what is small, or only reads, goes on beside what does not.

    Args:
        stop: ends every wait.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._in_trouble: set[int] = set()
        self._lock = threading.Lock()
        self._stop = stop

    @property
    def trouble(self) -> bool:
        """Whether somebody waits for it to pass."""
        return bool(self._in_trouble)

    def met(self, error: StorageError) -> None:
        """It failed; the calling thread tries again in `RETRY_SECONDS`, and says when it is over.

        Raises:
            StorageError: it does not pass by itself.
        """
        if not error.retryable:
            raise error
        with self._lock:
            is_news = not self._in_trouble
            self._in_trouble.add(threading.get_ident())
        if is_news:
            _log.error("the state cannot be used: %s", error)

    def over(self) -> None:
        """It worked: for the calling thread there is no trouble, or none any more."""
        with self._lock:
            before = len(self._in_trouble)
            self._in_trouble.discard(threading.get_ident())
            is_news = before > 0 and not self._in_trouble
        if is_news:
            _log.warning("the state can be used again")

    def until_stop(self, work: Callable[[], object]) -> bool:
        """Do it, again and again until it works; False when the stop comes first.

        Raises:
            StorageError: it does not pass by itself.
        """
        try:
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
        finally:
            with self._lock:
                self._in_trouble.discard(threading.get_ident())  # whoever gives up waits for nothing
